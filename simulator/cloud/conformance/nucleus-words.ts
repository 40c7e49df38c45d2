import { systemClock } from "@coalmine/runtime/system-clock";

/** What a nucleus 2.18.0 subscribes to and says, word for word. */
const NAMESPACE = "namespace-aws-gg-deployment";
export const DEPLOYMENT_SHADOW = "AWSManagedGreengrassV2Deployment";

export function topicsOf(thingName: string) {
  const things = `$aws/things/${thingName}`;
  return {
    notify: `${things}/jobs/notify-${NAMESPACE}`,
    next: `${things}/jobs/$next/${NAMESPACE}/get`,
    update: (jobId: string) => `${things}/jobs/${jobId}/${NAMESPACE}/update`,
    shadow: `${things}/shadow/name/${DEPLOYMENT_SHADOW}`,
    health: `${things}/greengrassv2/health/json`,
    telemetry: `${things}/greengrass/health/json`,
  };
}

/** In the order in which they were seen. */
export function nucleusFilters(thingName: string): string[] {
  const { notify, next, shadow } = topicsOf(thingName);
  return [
    notify,
    `${next}/accepted`,
    `${next}/rejected`,
    `${shadow}/update/accepted`,
    `${shadow}/update/rejected`,
    `${shadow}/get/accepted`,
  ];
}

export function fleetStatus(thingName: string, more: object = {}): object {
  return {
    ggcVersion: "2.18.0",
    platform: "linux",
    architecture: "amd64",
    thing: thingName,
    sequenceNumber: 0,
    timestamp: systemClock.now(),
    messageType: "COMPLETE",
    trigger: "NUCLEUS_LAUNCH",
    overallDeviceStatus: "HEALTHY",
    components: [],
    ...more,
  };
}

/** What fleet status says of a deployment that went well. */
export function succeeded(deploymentId: unknown, configurationArn: unknown): object {
  return {
    status: "SUCCEEDED",
    statusDetails: { detailedStatus: "SUCCESSFUL" },
    fleetConfigurationArnForStatus: configurationArn,
    deploymentId,
    unchangedRootComponents: [],
  };
}
