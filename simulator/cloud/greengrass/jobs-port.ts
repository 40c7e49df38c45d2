import type { Instant } from "@coalmine/ports";

/**
 * What Greengrass needs of IoT, as AWS splits it: deployments to groups are continuous jobs, deployments to things are
 * shadow updates, and targets are things and groups of the registry.
 */

/** A continuous job in the namespace that core devices listen to. */
export interface DeploymentJob {
  readonly jobId: string;
  /** The ARN of a thing group. Things that join the group later get an execution too. */
  readonly targetArn: string;
  /** The configuration document, JSON text. */
  readonly document: string;
  /** In the shapes of IoT's own CreateJob input. */
  readonly rolloutConfig: JobRolloutConfig | undefined;
  readonly abortConfig: JobAbortConfig | undefined;
  readonly timeoutConfig: { readonly inProgressTimeoutInMinutes?: number | undefined } | undefined;
  readonly namespaceId: "aws-gg-deployment";
}

export interface JobRolloutConfig {
  readonly maximumPerMinute?: number | undefined;
  readonly exponentialRate?:
    | {
        readonly baseRatePerMinute: number;
        readonly incrementFactor: number;
        readonly rateIncreaseCriteria: {
          readonly numberOfNotifiedThings?: number | undefined;
          readonly numberOfSucceededThings?: number | undefined;
        };
      }
    | undefined;
}

export interface JobAbortConfig {
  readonly criteriaList: readonly {
    readonly failureType: "FAILED" | "REJECTED" | "TIMED_OUT" | "ALL";
    readonly action: "CANCEL";
    readonly thresholdPercentage: number;
    readonly minNumberOfExecutedThings: number;
  }[];
}

export interface DeploymentJobExecution {
  readonly thingName: string;
  readonly status:
    | "QUEUED"
    | "IN_PROGRESS"
    | "SUCCEEDED"
    | "FAILED"
    | "REJECTED"
    | "TIMED_OUT"
    | "CANCELED"
    | "REMOVED";
  readonly statusDetails: Readonly<Record<string, string>>;
  readonly queuedAt: Instant;
  readonly lastUpdatedAt: Instant;
}

export interface JobsForDeployments {
  create(job: DeploymentJob): Promise<void> | void;
  /** Executions that have not begun become CANCELED, and the device is told so; with `force` those in progress too. */
  cancel(jobId: string, options: { readonly force: boolean }): Promise<void> | void;
  executionsOf(jobId: string): readonly DeploymentJobExecution[];
}

export interface ShadowsForDeployments {
  /** Merges into `state.desired` as an update by the account would: new version, delta, accepted message. */
  updateDesired(
    thingName: string,
    shadowName: string,
    desired: Readonly<Record<string, unknown>>,
  ): Promise<void> | void;
}

export interface ThingGroupOfThing {
  readonly thingGroupName: string;
  readonly thingGroupArn: string;
  /** From the root down to the parent; empty for a group at the root. */
  readonly rootToParentThingGroups: readonly {
    readonly thingGroupName: string;
    readonly thingGroupArn: string;
  }[];
}

export interface RegistryForDeployments {
  hasThing(thingName: string): boolean;
  hasThingGroup(thingGroupName: string): boolean;
  groupsOf(thingName: string): readonly ThingGroupOfThing[];
}
