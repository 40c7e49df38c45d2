import type { Clock, Instant, Random } from "@coalmine/ports";
import { SCHEMA_DATE, type JsonObject } from "@coalmine/recipe";
import type { Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { configurationArn, type DeploymentTarget } from "./arns.ts";
import type { CreateDeploymentInput } from "./deployment-input.ts";
import { greengrassError } from "./errors.ts";
import type { JobsForDeployments, ShadowsForDeployments } from "./jobs-port.ts";

export const DEPLOYMENT_SHADOW = "AWSManagedGreengrassV2Deployment";
export type DeploymentStatus = "ACTIVE" | "COMPLETED" | "CANCELED" | "FAILED" | "INACTIVE";

/** One revision of what a target should run. */
export interface Deployment {
  readonly deploymentId: string;
  readonly target: DeploymentTarget;
  readonly revision: number;
  readonly configurationArn: string;
  readonly name: string | undefined;
  readonly status: DeploymentStatus;
  readonly jobId: string;
  readonly createdAt: Instant;
  readonly input: CreateDeploymentInput;
  readonly tags: Readonly<Record<string, string>>;
  /** The whole document where it is too large for a job or shadow. */
  readonly largeDocument?: { readonly bucket: string; readonly key: string; readonly digest: string };
}

/** What a job's document and a shadow can hold; beyond that a device fetches the document itself. */
const JOB_DOCUMENT_BYTES_MAX = 32 * 1024;
const SHADOW_DOCUMENT_BYTES_MAX = 7 * 1024;
const CLIENT_TOKEN_LIFE_MS = 8 * 3600_000;

export type KeepDocument = (
  deploymentId: string,
  document: string,
) => Promise<{ bucket: string; key: string; digest: string }>;

/** Deployments and their revisions. One target has one latest deployment; a new one supersedes it. */
export class Deployments {
  readonly #deployments: Table<Deployment>;
  readonly #latest: Table<{ readonly deploymentId: string; readonly revision: number }>;
  readonly #byArn: Table<string>;
  readonly #tokens: Table<{ readonly deploymentId: string; readonly at: Instant }>;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #jobs: JobsForDeployments;
  readonly #shadows: ShadowsForDeployments;
  readonly #keepDocument: KeepDocument;

  constructor(options: {
    readonly store: Store;
    readonly place: Place;
    readonly clock: Clock;
    readonly random: Random;
    readonly jobs: JobsForDeployments;
    readonly shadows: ShadowsForDeployments;
    readonly keepDocument: KeepDocument;
  }) {
    this.#deployments = options.store.table("greengrass/deployments");
    this.#latest = options.store.table("greengrass/latest-deployments");
    this.#byArn = options.store.table("greengrass/configurations");
    this.#tokens = options.store.table("greengrass/deployment-tokens");
    this.#place = options.place;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#jobs = options.jobs;
    this.#shadows = options.shadows;
    this.#keepDocument = options.keepDocument;
  }

  /** `created` is told before anything is delivered, so that nobody hears of the job first. */
  async create(
    target: DeploymentTarget,
    input: CreateDeploymentInput,
    created: (deployment: Deployment) => void,
  ): Promise<Deployment> {
    const repeated = input.clientToken === undefined ? undefined : this.#tokens.get(input.clientToken);
    const again = repeated && this.get(repeated.deploymentId);
    if (again !== undefined) return again;
    const previous = this.latestFor(target.arn);
    const revision = (this.#latest.get(target.arn)?.revision ?? 0) + 1;
    const deploymentId = uuid(this.#random);
    const arn = configurationArn(this.#place, target, revision);
    const createdAt = this.#clock.now();
    let deployment: Deployment = {
      deploymentId,
      target,
      revision,
      configurationArn: arn,
      name: input.deploymentName,
      status: "ACTIVE",
      jobId: uuid(this.#random),
      createdAt,
      input,
      tags: input.tags ?? {},
    };
    // The revision is taken before anything is awaited, so that two at once cannot have the same.
    this.#latest.set(target.arn, { deploymentId, revision });
    this.#deployments.set(deploymentId, deployment);
    this.#byArn.set(arn, deploymentId);
    if (input.clientToken !== undefined) this.#rememberToken(input.clientToken, deploymentId);
    created(deployment);
    let document = JSON.stringify(documentOf(deployment));
    if (!fits(target, document)) {
      deployment = { ...deployment, largeDocument: await this.#keepDocument(deploymentId, document) };
      this.#deployments.set(deploymentId, deployment);
      document = JSON.stringify(largeDocumentStub(deployment));
    }
    if (previous?.status === "ACTIVE") await this.#supersede(previous);
    await this.#deliver(deployment, document);
    return deployment;
  }

  async #deliver(deployment: Deployment, document: string): Promise<void> {
    const { target, input } = deployment;
    if (target.kind === "thing")
      await this.#shadows.updateDesired(target.thingName, DEPLOYMENT_SHADOW, {
        fleetConfig: document,
        desiredStatus: "SUCCEEDED",
      });
    else
      await this.#jobs.create({
        jobId: deployment.jobId,
        targetArn: target.arn,
        document,
        rolloutConfig: input.iotJobConfiguration?.jobExecutionsRolloutConfig,
        abortConfig: input.iotJobConfiguration?.abortConfig,
        timeoutConfig: input.iotJobConfiguration?.timeoutConfig,
        namespaceId: "aws-gg-deployment",
      });
  }

  /** Devices that have not begun the former revision never will; the new one is what they get. */
  async #supersede(previous: Deployment): Promise<void> {
    this.setStatus(previous.deploymentId, "INACTIVE");
    if (previous.target.kind === "thinggroup") await this.#jobs.cancel(previous.jobId, { force: false });
  }

  async cancel(deploymentId: string): Promise<void> {
    const deployment = this.find(deploymentId);
    if (deployment.status !== "ACTIVE")
      throw greengrassError.conflict(
        "DEPLOYMENT",
        deploymentId,
        `Deployment ${deploymentId} is ${deployment.status}; only an ACTIVE one can be canceled.`,
      );
    this.setStatus(deploymentId, "CANCELED");
    // A nucleus that stops because it was told so reports nothing more: the cloud itself ends what is in progress.
    if (deployment.target.kind === "thinggroup") await this.#jobs.cancel(deployment.jobId, { force: true });
    else
      await this.#shadows.updateDesired(deployment.target.thingName, DEPLOYMENT_SHADOW, {
        desiredStatus: "CANCELED",
      });
  }

  delete(deploymentId: string): void {
    const deployment = this.find(deploymentId);
    if (deployment.status === "ACTIVE")
      throw greengrassError.conflict(
        "DEPLOYMENT",
        deploymentId,
        `Deployment ${deploymentId} is ACTIVE; cancel it first.`,
      );
    this.#deployments.delete(deploymentId);
    this.#byArn.delete(deployment.configurationArn);
  }

  setStatus(deploymentId: string, status: DeploymentStatus): void {
    const deployment = this.get(deploymentId);
    if (deployment !== undefined) this.#deployments.set(deploymentId, { ...deployment, status });
  }

  setTags(deploymentId: string, tags: Readonly<Record<string, string>>): void {
    this.#deployments.set(deploymentId, { ...this.find(deploymentId), tags });
  }

  get(deploymentId: string): Deployment | undefined {
    return this.#deployments.get(deploymentId);
  }

  find(deploymentId: unknown): Deployment {
    const deployment = this.get(String(deploymentId));
    if (deployment === undefined) throw greengrassError.notFound("DEPLOYMENT", String(deploymentId));
    return deployment;
  }

  latestFor(targetArn: string): Deployment | undefined {
    const latest = this.#latest.get(targetArn);
    return latest && this.get(latest.deploymentId);
  }

  isLatest(deployment: Deployment): boolean {
    return this.#latest.get(deployment.target.arn)?.deploymentId === deployment.deploymentId;
  }

  byConfigurationArn(arn: string): Deployment | undefined {
    const deploymentId = this.#byArn.get(arn);
    return deploymentId === undefined ? undefined : this.get(deploymentId);
  }

  /** Newest first. */
  all(): readonly Deployment[] {
    return [...this.#deployments.entries()]
      .map(([, deployment]) => deployment)
      .sort((a, b) => b.createdAt - a.createdAt || b.revision - a.revision);
  }

  #rememberToken(token: string, deploymentId: string): void {
    const now = this.#clock.now();
    for (const [old, { at }] of this.#tokens.entries())
      if (now - at > CLIENT_TOKEN_LIFE_MS) this.#tokens.delete(old);
    this.#tokens.set(token, { deploymentId, at: now });
  }
}

function fits(target: DeploymentTarget, document: string): boolean {
  if (target.kind === "thinggroup") return Buffer.byteLength(document, "utf8") <= JOB_DOCUMENT_BYTES_MAX;
  // In the shadow it is JSON text inside JSON: every quote counts twice.
  return Buffer.byteLength(JSON.stringify(document), "utf8") <= SHADOW_DOCUMENT_BYTES_MAX;
}

/** The configuration document that a device gets: the API's names become the document's. */
export function documentOf(deployment: Deployment): JsonObject {
  const { input } = deployment;
  const policies = input.deploymentPolicies;
  const components = Object.entries(input.components ?? {}).map(([name, component]) => {
    const update = component.configurationUpdate;
    return [
      name,
      {
        version: component.componentVersion,
        ...(update === undefined
          ? {}
          : {
              configurationUpdate: {
                ...(update.merge === undefined ? {} : { merge: update.merge.value }),
                ...(update.reset === undefined ? {} : { reset: [...update.reset] }),
              },
            }),
        ...(component.runWith === undefined ? {} : { runWith: component.runWith }),
      },
    ] as const;
  });
  return {
    ...headOf(deployment),
    components: Object.fromEntries(components),
    failureHandlingPolicy: policies?.failureHandlingPolicy ?? "ROLLBACK",
    componentUpdatePolicy: {
      timeout: policies?.componentUpdatePolicy?.timeoutInSeconds ?? 60,
      action: policies?.componentUpdatePolicy?.action ?? "NOTIFY_COMPONENTS",
    },
    configurationValidationPolicy: {
      timeout: policies?.configurationValidationPolicy?.timeoutInSeconds ?? 30,
    },
  };
}

function largeDocumentStub(deployment: Deployment): JsonObject {
  return { ...headOf(deployment), requiredCapabilities: ["LARGE_CONFIGURATION"] };
}

function headOf(deployment: Deployment): JsonObject {
  const { input } = deployment;
  return {
    deploymentId: deployment.deploymentId,
    schemaDate: SCHEMA_DATE,
    ...(deployment.name === undefined ? {} : { deploymentName: deployment.name }),
    configurationArn: deployment.configurationArn,
    creationTimestamp: deployment.createdAt,
    ...(input.parentTargetArn === undefined
      ? {}
      : {
          onBehalfOf: input.parentTargetArn.replace(/^.*:thinggroup\//, "thinggroup/"),
          parentTargetArn: input.parentTargetArn,
          requiredCapabilities: ["SUB_DEPLOYMENTS"],
        }),
  };
}
