import * as z from "zod";
import type { Input, Place } from "../service.ts";
import { iotArn } from "./arn.ts";
import type { Permissions } from "./permissions.ts";

/** Whether a device's policies let it call an operation by its certificate. */
export type DeviceMay = (
  device: { readonly certificateId: string; readonly thingName: string | undefined },
  service: string,
  operation: string,
  input: Input,
) => boolean;

const OnThing = z.object({ thingName: z.string() });
const OnTopic = z.object({ topic: z.string() });
const operations: Readonly<Record<string, ReadonlySet<string>>> = {
  "iot-jobs-data": new Set([
    "DescribeJobExecution",
    "GetPendingJobExecutions",
    "StartNextPendingJobExecution",
    "UpdateJobExecution",
  ]),
  iotdata: new Set([
    "DeleteThingShadow",
    "GetThingShadow",
    "ListNamedShadowsForThing",
    "Publish",
    "UpdateThingShadow",
  ]),
};

/**
 * Shadows, jobs and publishing over HTTPS need the same actions as over MQTT need topics: on the thing, or the topic.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-actions.html
 */
export function deviceMay(permissions: Permissions, place: Place): DeviceMay {
  return ({ certificateId, thingName }, service, operation, input) => {
    if (operations[service]?.has(operation) !== true) return false;
    const resource =
      operation === "Publish"
        ? iotArn(place, "topic", OnTopic.parse(input).topic)
        : iotArn(place, "thing", OnThing.parse(input).thingName);
    return permissions.mayAsk(certificateId, thingName, `iot:${operation}`, resource);
  };
}
