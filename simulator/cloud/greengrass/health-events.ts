import type { Instant } from "@coalmine/ports";
import type { CloudEvent, Place } from "../service.ts";

/** What Greengrass tells EventBridge. @see https://docs.aws.amazon.com/greengrass/v2/developerguide/deployment-health-notifications.html */
export const toldStatuses: ReadonlySet<string> = new Set(["FAILED", "SUCCEEDED", "COMPLETED"]);

export function deploymentEvent(
  thingName: string,
  deploymentId: string,
  progress: {
    readonly status: string;
    readonly errorStack: readonly string[];
    readonly errorTypes: readonly string[];
    readonly modifiedAt: Instant;
  },
  reason: string,
  place: Place,
): CloudEvent {
  const { status, errorStack, errorTypes, modifiedAt } = progress;
  return {
    kind: "aws-event",
    source: "aws.greengrass",
    detailType: "Greengrass V2 Effective Deployment Status Change",
    resources: [coreDeviceArn(thingName, place)],
    detail: {
      "deployment-id": deploymentId,
      coreDeviceExecutionStatus: status,
      statusDetails: { errorStack, errorTypes },
      reason,
    },
    at: modifiedAt,
  };
}

function coreDeviceArn(thingName: string, { region, accountId }: Place): string {
  return `arn:aws:greengrass:${region}:${accountId}:coreDevices:${thingName}`;
}
