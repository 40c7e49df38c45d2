import type { Place } from "../service.ts";
import type { Deployment } from "./deployments.ts";
import type { EffectiveDeployment } from "./effective-deployments.ts";

/** Deployments in the shapes of the API's answers. */
export function deploymentSummary(deployment: Deployment, isLatest: boolean): object {
  return {
    targetArn: deployment.target.arn,
    revisionId: String(deployment.revision),
    deploymentId: deployment.deploymentId,
    deploymentName: deployment.name ?? "",
    creationTimestamp: deployment.createdAt,
    deploymentStatus: deployment.status,
    isLatestForTarget: isLatest,
    parentTargetArn: deployment.input.parentTargetArn,
  };
}

export function deploymentOutput(deployment: Deployment, isLatest: boolean, place: Place): object {
  const { input } = deployment;
  return {
    ...deploymentSummary(deployment, isLatest),
    iotJobId: deployment.jobId,
    iotJobArn: jobArn(place, deployment),
    components: Object.fromEntries(
      Object.entries(input.components ?? {}).map(([name, component]) => {
        const update = component.configurationUpdate;
        return [
          name,
          {
            ...component,
            ...(update === undefined
              ? {}
              : { configurationUpdate: { merge: update.merge?.text, reset: update.reset } }),
          },
        ];
      }),
    ),
    deploymentPolicies: {
      failureHandlingPolicy: input.deploymentPolicies?.failureHandlingPolicy ?? "ROLLBACK",
      componentUpdatePolicy: {
        timeoutInSeconds: input.deploymentPolicies?.componentUpdatePolicy?.timeoutInSeconds ?? 60,
        action: input.deploymentPolicies?.componentUpdatePolicy?.action ?? "NOTIFY_COMPONENTS",
      },
      configurationValidationPolicy: {
        timeoutInSeconds: input.deploymentPolicies?.configurationValidationPolicy?.timeoutInSeconds ?? 30,
      },
    },
    iotJobConfiguration: input.iotJobConfiguration ?? {},
    tags: deployment.tags,
  };
}

export function effectiveOutput(effective: EffectiveDeployment, place: Place): object {
  const { deployment } = effective;
  return {
    deploymentId: deployment.deploymentId,
    deploymentName: deployment.name ?? "",
    iotJobId: deployment.jobId,
    iotJobArn: jobArn(place, deployment),
    description: "",
    targetArn: deployment.target.arn,
    coreDeviceExecutionStatus: effective.status,
    reason: effective.reason,
    creationTimestamp: deployment.createdAt,
    modifiedTimestamp: effective.modifiedAt,
    statusDetails: { errorStack: effective.errorStack, errorTypes: effective.errorTypes },
  };
}

function jobArn(place: Place, deployment: Deployment): string {
  return `arn:aws:iot:${place.region}:${place.accountId}:job/${deployment.jobId}`;
}
