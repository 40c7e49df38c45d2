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
const OnTopic = z.object({ topic: z.string(), retain: z.boolean().nullish() });
const operations: Readonly<Record<string, ReadonlySet<string>>> = {
  "iot-jobs-data": new Set([
    "DescribeJobExecution",
    "GetPendingJobExecutions",
    "StartNextPendingJobExecution",
    "UpdateJobExecution",
  ]),
  iotdata: new Set([
    "DeleteThingShadow",
    "GetRetainedMessage",
    "GetThingShadow",
    "ListNamedShadowsForThing",
    "ListRetainedMessages",
    "Publish",
    "UpdateThingShadow",
  ]),
};

/**
 * Shadows, jobs, publishing and what is retained need over HTTPS the actions of their names, on the thing or the topic.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-actions.html
 */
export function deviceMay(permissions: Permissions, place: Place): DeviceMay {
  return ({ certificateId, thingName }, service, operation, input) => {
    if (operations[service]?.has(operation) !== true) return false;
    const may = (action: string, resource: string): boolean =>
      permissions.mayAsk(certificateId, thingName, `iot:${action}`, resource);
    if (operation === "ListRetainedMessages") return may(operation, "*");
    if (operation !== "Publish" && operation !== "GetRetainedMessage")
      return may(operation, iotArn(place, "thing", OnThing.parse(input).thingName));
    const { topic, retain } = OnTopic.parse(input);
    const resource = iotArn(place, "topic", topic);
    return may(operation, resource) && (retain !== true || may("RetainPublish", resource));
  };
}
