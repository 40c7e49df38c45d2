import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import type { CloudEvent, CloudEvents, Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { DEPLOYMENT_SHADOW, type Deployment, type Deployments } from "./deployments.ts";
import type { FleetStatus } from "./core-devices.ts";
import { deploymentEvent, toldStatuses } from "./health-events.ts";
import type { JobsForDeployments, RegistryForDeployments } from "./jobs-port.ts";

export type ExecutionStatus =
  | "IN_PROGRESS"
  | "QUEUED"
  | "FAILED"
  | "COMPLETED"
  | "TIMED_OUT"
  | "CANCELED"
  | "REJECTED"
  | "SUCCEEDED";

export interface EffectiveDeployment {
  readonly deployment: Deployment;
  readonly status: ExecutionStatus;
  readonly reason: string;
  readonly errorStack: readonly string[];
  readonly errorTypes: readonly string[];
  readonly modifiedAt: Instant;
}

/** What is stored: how one deployment goes on one device. */
interface Progress {
  readonly status: string;
  readonly detailedStatus: string;
  readonly failureCause: string;
  readonly errorStack: readonly string[];
  readonly errorTypes: readonly string[];
  readonly modifiedAt: Instant;
}

const statuses = new Set<string>([
  "IN_PROGRESS",
  "QUEUED",
  "FAILED",
  "COMPLETED",
  "TIMED_OUT",
  "CANCELED",
  "REJECTED",
  "SUCCEEDED",
]);

const Reported = z.object({
  fleetConfigurationArnForStatus: z.string(),
  status: z.string(),
  statusDetails: z
    .object({
      detailedStatus: z.string().nullish(),
      failureCause: z.string().nullish(),
      errorStack: z.array(z.string()).nullish(),
      errorTypes: z.array(z.string()).nullish(),
    })
    .nullish(),
});

/** How the latest deployments go on each device: from job executions, the deployment shadow, and fleet status. */
export class EffectiveDeployments {
  readonly #progress: Table<Progress>;
  readonly #byJob: Table<string>;
  readonly #place: Place;
  readonly #deployments: Deployments;
  readonly #jobs: JobsForDeployments;
  readonly #registry: RegistryForDeployments;
  readonly #events: CloudEvents;

  constructor(options: {
    readonly store: Store;
    readonly place: Place;
    readonly deployments: Deployments;
    readonly jobs: JobsForDeployments;
    readonly registry: RegistryForDeployments;
    readonly events: CloudEvents;
  }) {
    this.#progress = options.store.table("greengrass/progress");
    this.#byJob = options.store.table("greengrass/jobs");
    this.#place = options.place;
    this.#deployments = options.deployments;
    this.#jobs = options.jobs;
    this.#registry = options.registry;
    this.#events = options.events;
  }

  /** Called once for each group deployment, so that its job's events are known. */
  watch(deployment: Deployment): void {
    this.#byJob.set(deployment.jobId, deployment.deploymentId);
  }

  receive(event: CloudEvent): void {
    if (event.kind === "job-execution") {
      const deploymentId = this.#byJob.get(event.jobId);
      if (deploymentId === undefined) return;
      this.#set(event.thingName, deploymentId, false, {
        status: event.status,
        detailedStatus: event.statusDetails["detailed-deployment-status"] ?? "",
        failureCause: event.statusDetails["deployment-failure-cause"] ?? "",
        errorStack: wordsOf(event.statusDetails["deployment-error-stack"]),
        errorTypes: wordsOf(event.statusDetails["deployment-error-types"]),
        modifiedAt: event.at,
      });
    } else if (event.kind === "shadow-changed" && event.shadowName === DEPLOYMENT_SHADOW) {
      const reported = Reported.safeParse(event.reported);
      if (reported.success)
        this.#setByArn(
          event.thingName,
          reported.data.fleetConfigurationArnForStatus,
          reported.data,
          event.at,
        );
    }
  }

  receiveStatus(thingName: string, status: FleetStatus, at: Instant): void {
    const information = status.deploymentInformation;
    const arn = information?.fleetConfigurationArnForStatus;
    if (information !== undefined && information !== null && arn !== undefined && arn !== null)
      this.#setByArn(thingName, arn, information, at);
  }

  #setByArn(
    thingName: string,
    arn: string,
    told: Omit<z.infer<typeof Reported>, "fleetConfigurationArnForStatus">,
    at: Instant,
  ): void {
    const deployment = this.#deployments.byConfigurationArn(arn);
    if (deployment === undefined) return;
    const details = told.statusDetails;
    this.#set(thingName, deployment.deploymentId, deployment.target.kind === "thing", {
      status: told.status,
      detailedStatus: details?.detailedStatus ?? "",
      failureCause: details?.failureCause ?? "",
      errorStack: details?.errorStack ?? [],
      errorTypes: details?.errorTypes ?? [],
      modifiedAt: at,
    });
    const isOver = told.status !== "IN_PROGRESS" && told.status !== "QUEUED";
    if (deployment.target.kind === "thing" && deployment.status === "ACTIVE" && isOver)
      this.#deployments.setStatus(deployment.deploymentId, "COMPLETED");
  }

  #set(thingName: string, deploymentId: string, isThing: boolean, progress: Progress): void {
    const key = `${thingName}/${deploymentId}`;
    const before = this.#progress.get(key);
    // The same news by another way does not count as a change.
    const isSame = before?.status === progress.status && before.detailedStatus === progress.detailedStatus;
    if (isSame) return;
    this.#progress.set(key, progress);
    const status = statusFor(isThing, progress.status);
    if (before?.status !== progress.status && toldStatuses.has(status))
      this.#events.emit(
        deploymentEvent(thingName, deploymentId, { ...progress, status }, reasonOf(progress), this.#place),
      );
  }

  /** The latest deployment for the thing itself and for each of its groups that has reached it. */
  of(thingName: string): readonly EffectiveDeployment[] {
    const { region, accountId } = this.#place;
    const targets = [
      `arn:aws:iot:${region}:${accountId}:thing/${thingName}`,
      ...this.#registry.groupsOf(thingName).map((group) => group.thingGroupArn),
    ];
    return targets.flatMap((target) => {
      const deployment = this.#deployments.latestFor(target);
      return deployment === undefined ? [] : (this.#effective(thingName, deployment) ?? []);
    });
  }

  #effective(thingName: string, deployment: Deployment): EffectiveDeployment | undefined {
    const known =
      this.#progress.get(`${thingName}/${deployment.deploymentId}`) ?? this.#queued(thingName, deployment);
    if (known === undefined || !statuses.has(known.status)) return undefined;
    const isThing = deployment.target.kind === "thing";
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked up in the set of them just now.
    const status = statusFor(isThing, known.status) as ExecutionStatus;
    return {
      deployment,
      status,
      reason: reasonOf(known),
      errorStack: known.errorStack,
      errorTypes: known.errorTypes,
      modifiedAt: known.modifiedAt,
    };
  }

  #queued(thingName: string, deployment: Deployment): Progress | undefined {
    const nothing = { detailedStatus: "", failureCause: "", errorStack: [], errorTypes: [] };
    if (deployment.target.kind === "thing")
      return {
        ...nothing,
        status: deployment.status === "CANCELED" ? "CANCELED" : "QUEUED",
        modifiedAt: deployment.createdAt,
      };
    const execution = this.#jobs
      .executionsOf(deployment.jobId)
      .find((candidate) => candidate.thingName === thingName);
    return execution && { ...nothing, status: execution.status, modifiedAt: execution.lastUpdatedAt };
  }
}

/** The end of a thing's own deployment has a name of its own. */
function statusFor(isThing: boolean, status: string): string {
  return isThing && status === "SUCCEEDED" ? "COMPLETED" : status;
}

/** As the console shows it: the detailed status, and why. */
function reasonOf(progress: Progress): string {
  return [progress.detailedStatus, progress.failureCause].filter((text) => text !== "").join(": ");
}

/** Jobs carry lists as JSON text; one that was cut at the limit of a value is read as far as it is whole. */
function wordsOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  return [...text.matchAll(/[A-Z][A-Z0-9_]+/g)].map(([word]) => word);
}
