import type { AwsError } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";

/** A refusal of an AWS service, by its own code, or `NetworkError` where no answer came. */
export class AwsRefusal extends Error implements AwsError {
  override readonly name = "AwsError";
  readonly code: string;
  declare readonly statusCode?: number;
  declare readonly retryAfterMs?: number;
  constructor(
    code: string,
    message: string,
    details: { statusCode?: number; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    if (details.statusCode !== undefined) this.statusCode = details.statusCode;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

const Answered = z.object({
  name: z.string(),
  message: z.string(),
  $metadata: z.object({ httpStatusCode: z.number() }),
  $response: z.object({ headers: z.record(z.string(), z.string()) }).optional(),
});

/** Runs one request and turns whatever the SDK throws into an `AwsRefusal`. */
export async function asked<Answer>(what: string, request: () => Promise<Answer>): Promise<Answer> {
  try {
    return await request();
  } catch (cause) {
    // `$response` is hidden from enumeration.
    const { data } = Answered.safeParse(
      cause instanceof Error
        ? {
            name: cause.name,
            message: cause.message,
            $metadata: memberOf(cause, "$metadata"),
            $response: memberOf(cause, "$response"),
          }
        : undefined,
    );
    if (data === undefined) throw new AwsRefusal("NetworkError", `${what}: ${messageOf(cause)}`, { cause });
    const retryAfterMs = retryAfter(data.$response?.headers["retry-after"]);
    throw new AwsRefusal(data.name, `${what}: ${data.message}`, {
      statusCode: data.$metadata.httpStatusCode,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause,
    });
  }
}

/** What every client of ours is set up with: retrying belongs to the component, and no request waits for ever. */
export const clientSettings = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 10_000, requestTimeout: 60_000, throwOnRequestTimeout: true },
} as const;

function retryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? Number(header) * 1000 : undefined;
}

function memberOf(thrown: object, name: string): unknown {
  return Reflect.get(thrown, name);
}
