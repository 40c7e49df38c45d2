import { ServiceError } from "../service.ts";
import type { Call } from "./fault.ts";

interface Words {
  readonly throttled: readonly [code: string, status: number];
  readonly failed: readonly [code: string, status: number];
}

/** How each service says that it is asked too often, and that it has failed: the shapes of its own model. */
const words: Readonly<Record<string, Words>> = {
  greengrass: { throttled: ["ThrottlingException", 429], failed: ["InternalServerException", 500] },
  iot: { throttled: ["ThrottlingException", 400], failed: ["InternalFailureException", 500] },
  "iot-jobs-data": {
    throttled: ["ThrottlingException", 429],
    failed: ["ServiceUnavailableException", 503],
  },
  iotdata: { throttled: ["ThrottlingException", 429], failed: ["InternalFailureException", 500] },
  logs: { throttled: ["ThrottlingException", 400], failed: ["ServiceUnavailableException", 500] },
  dynamodb: { throttled: ["ThrottlingException", 400], failed: ["InternalServerError", 500] },
  kinesis: {
    throttled: ["ProvisionedThroughputExceededException", 400],
    failed: ["InternalFailureException", 500],
  },
  firehose: { throttled: ["ServiceUnavailableException", 503], failed: ["InternalFailure", 500] },
  s3: { throttled: ["SlowDown", 503], failed: ["InternalError", 500] },
  sts: { throttled: ["Throttling", 400], failed: ["InternalFailure", 500] },
};
const usual: Words = { throttled: ["ThrottlingException", 400], failed: ["InternalFailure", 500] };

/** Greengrass tells how long to wait; the SDKs heed it. */
const RETRY_AFTER_SECONDS = 1;

export function throttlingOf({ service, operation }: Call): ServiceError {
  const [code, status] = (words[service] ?? usual).throttled;
  const fields = service === "greengrass" ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {};
  return new ServiceError(code, status, `Rate exceeded for ${operation}.`, fields);
}

/** `status` other than 500 comes from what stands before a service, which knows no shapes. */
export function failureOf({ service, operation }: Call, status: number): ServiceError {
  const [code, own] = (words[service] ?? usual).failed;
  if (status === 500) return new ServiceError(code, own, `${operation} failed for a reason of the service.`);
  const unavailable =
    service === "s3" && status === 503 ? "ServiceUnavailable" : "ServiceUnavailableException";
  return new ServiceError(unavailable, status, `${operation} cannot be reached now.`);
}
