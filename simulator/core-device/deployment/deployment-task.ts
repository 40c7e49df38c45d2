import type { Clock, Instant, Log, Random } from "@coalmine/ports";
import { parseDeploymentDocument, selectManifest, type DeploymentDocument } from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import { replayed, snapshotOf, type TransactionLog } from "../configuration/transaction-log.ts";
import type { Services } from "../lifecycle/services.ts";
import type { DataPlane, DeviceRoot, Platform } from "../ports.ts";
import { downloadArtifacts } from "../store/artifact-downloads.ts";
import type { ComponentStore } from "../store/component-store.ts";
import { activate, retire, rollBack } from "./activation.ts";
import { bootstrapsAgain, runBootstraps } from "./bootstrap.ts";
import { candidatesFrom } from "./candidates.ts";
import type { ComponentUpdates } from "./component-updates.ts";
import type { ConfigurationValidation } from "./configuration-validation.ts";
import { resolveDependencies } from "./dependency-resolution.ts";
import { folderOf, groupOf, type Deployment, type Ongoing } from "./deployment.ts";
import {
  DeploymentCanceled,
  DeploymentError,
  failureOf,
  type DeploymentResult,
  type Failure,
  type Restart,
} from "./deployment-error.ts";
import { GroupRecords, LOCAL_GROUP } from "./group-records.ts";
import { largeDocument, thingGroups } from "./cloud-questions.ts";
import type { LocalDeployments } from "./local-deployments.ts";
import { NUCLEUS, planOf, type Plan } from "./plan.ts";
import { checkPrerequisites } from "./prerequisites.ts";

const supportedCapabilities = new Set(["LARGE_CONFIGURATION", "LINUX_RESOURCE_LIMITS", "SUB_DEPLOYMENTS"]);
const NUCLEUS_SETTINGS = ["services", NUCLEUS, "configuration"];
export const ONGOING = "deployments/ongoing.json";

export interface TaskOptions {
  readonly thingName: string;
  readonly nucleusVersion: string;
  readonly platform: Platform;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly root: DeviceRoot;
  readonly dataPlane: DataPlane;
  readonly store: ComponentStore;
  readonly configuration: TransactionLog;
  readonly services: Services;
  readonly updates: ComponentUpdates;
  readonly validation: ConfigurationValidation;
  readonly local: LocalDeployments;
}

/** Carries out one deployment from its document to its result. */
export class DeploymentTask {
  readonly #deployment: Deployment;
  readonly #options: TaskOptions;
  readonly #records: GroupRecords;
  readonly #cancel = new AbortController();
  readonly #die: AbortSignal;
  #isCancellable = true;

  /** `die` is the end of the device's power: the task stops where it is and reports nothing. */
  constructor(deployment: Deployment, options: TaskOptions, die: AbortSignal) {
    this.#deployment = deployment;
    this.#options = options;
    this.#records = new GroupRecords(options.configuration.tree);
    this.#die = die;
    die.addEventListener("abort", () => this.#cancel.abort(die.reason), { once: true });
  }

  /** Takes the deployment back if it has not begun to change the device. */
  cancel(): boolean {
    if (this.#isCancellable) this.#cancel.abort(new DeploymentCanceled("the deployment was canceled"));
    return this.#isCancellable;
  }

  async run(): Promise<DeploymentResult | Restart> {
    let document: DeploymentDocument;
    let plan: Plan;
    let memberOf: readonly string[];
    try {
      document = await this.#document();
      const group = groupOf(document.configurationArn, document.onBehalfOf);
      const stale = this.#staleness(group, document);
      if (stale !== undefined) return stale;
      await this.#remember({
        deployment: this.#deployment,
        stage: "preparing",
        obsolete: [],
        brokenBefore: [],
        bootstrap: [],
        restarts: false,
      });
      memberOf = await thingGroups(
        this.#deployment.source,
        this.#records,
        this.#options,
        this.#cancel.signal,
      );
      plan = await this.#prepare(document, group, memberOf);
      await this.#agree(document, plan);
    } catch (failure) {
      this.#die.throwIfAborted();
      if (failure instanceof DeploymentCanceled)
        return { status: "CANCELED", detailedStatus: undefined, failure: undefined };
      return failed("FAILED_NO_STATE_CHANGE", failureOf(failure));
    }
    return this.#change(document, plan, memberOf);
  }

  /** Goes on with a deployment that a power cut or a restart of its own interrupted after it had begun to change the device. */
  async resume(ongoing: Ongoing): Promise<DeploymentResult | Restart> {
    this.#isCancellable = false;
    const document =
      this.#deployment.source === "LOCAL"
        ? this.#options.local.document(this.#deployment)
        : parseDeploymentDocument(this.#deployment.document);
    if (ongoing.stage === "rolling back" && ongoing.failure !== undefined)
      return this.#rollBack(document, ongoing, ongoing.failure);
    if (ongoing.stage === "bootstrapping") return this.#bootstrap(ongoing);
    const target = await this.#kept("target_config.tlog");
    const memberOf = this.#records.membership();
    return this.#merge(document, ongoing, target, [
      ...memberOf,
      groupOf(document.configurationArn, document.onBehalfOf),
    ]);
  }

  async #document(): Promise<DeploymentDocument> {
    if (this.#deployment.source === "LOCAL") return this.#options.local.documentOf(this.#deployment);
    const document = parseDocument(this.#deployment.document);
    const missing = document.requiredCapabilities.filter(
      (capability) => !supportedCapabilities.has(capability),
    );
    if (missing.length > 0)
      throw new DeploymentError(
        ["NUCLEUS_MISSING_REQUIRED_CAPABILITIES"],
        `The current nucleus version doesn't support one or more capabilities that are required by this deployment: ${missing.join(", ")}`,
      );
    if (!document.requiredCapabilities.includes("LARGE_CONFIGURATION")) return document;
    return parseDocument(await largeDocument(document.deploymentId, this.#options, this.#cancel.signal));
  }

  #staleness(group: string, document: DeploymentDocument): DeploymentResult | undefined {
    const last = this.#records.lastTimestampOf(group);
    if (this.#deployment.source !== "IOT_JOBS" || last === undefined || document.creationTimestampMs >= last)
      return undefined;
    const failure = new DeploymentError(
      ["REJECTED_STALE_DEPLOYMENT"],
      `The deployment of ${group} is older than the one that this device carried out last`,
    );
    return {
      status: "REJECTED",
      detailedStatus: "REJECTED",
      failure: failureOf(failure, "DEPLOYMENT_REJECTED"),
    };
  }

  async #prepare(document: DeploymentDocument, group: string, memberOf: readonly string[]): Promise<Plan> {
    const { store, dataPlane, platform, clock, random, configuration, root, thingName } = this.#options;
    const signal = this.#cancel.signal;
    const { tree } = configuration;
    const own = Object.entries(document.components).map(([component, { version }]) => ({
      component,
      version,
      group,
    }));
    const others = this.#records
      .groups()
      .filter((known) => known !== group && (memberOf.includes(known) || known === LOCAL_GROUP))
      .flatMap((known) => this.#records.rootsOf(known));
    const activeVersion = (name: string): string | undefined => tree.getText(["services", name, "version"]);
    const resolved = await resolveDependencies(
      [...own, ...others],
      candidatesFrom({ store, dataPlane, platform, clock, random, activeVersion, signal }),
    );
    const storeBytesMax = tree.getNumber([...NUCLEUS_SETTINGS, "componentStoreMaxSizeBytes"]);
    const options = { ...this.#options, storeBytesMax };
    for (const component of resolved.values()) {
      checkPrerequisites(component, resolved, document, this.#options);
      const artifacts = selectManifest(component.recipe, platform)?.artifacts ?? [];
      const arn = await store.arnOf(component.name, component.version);
      await downloadArtifacts({ ...component, arn, artifacts }, options, signal);
    }
    // Its making, or its processing: the nucleus can be told which.
    const source = tree.getText([...NUCLEUS_SETTINGS, "deploymentConfigurationTimeSource"]);
    const atMs = source === "deploymentProcessingTime" ? clock.now() : document.creationTimestampMs;
    return planOf({ present: tree, resolved, document, platform, rootPath: root.path, thingName, atMs });
  }

  /** The components are told, then asked: in this order, as the nucleus has it. */
  async #agree(document: DeploymentDocument, plan: Plan): Promise<void> {
    const { updates, validation } = this.#options;
    const { action, timeoutSeconds } = document.componentUpdatePolicy;
    try {
      if (action === "NOTIFY_COMPONENTS")
        await updates.ask(document.deploymentId, restarts(plan), timeoutSeconds * 1000, this.#cancel.signal);
      this.#cancel.signal.throwIfAborted();
      this.#isCancellable = false;
      const waitMs = document.configurationValidationPolicy.timeoutSeconds * 1000;
      await validation.ask(this.#deployment.id, plan.reconfigured, waitMs);
    } catch (failure) {
      if (action === "NOTIFY_COMPONENTS") updates.done(document.deploymentId);
      throw failure;
    }
    this.#die.throwIfAborted();
  }

  async #change(
    document: DeploymentDocument,
    plan: Plan,
    memberOf: readonly string[],
  ): Promise<DeploymentResult | Restart> {
    const { root, configuration, services } = this.#options;
    const folder = folderOf(this.#deployment.id);
    await root.writeText(`${folder}/rollback_snapshot.tlog`, snapshotOf(configuration.tree.root));
    await root.writeText(`${folder}/target_config.tlog`, snapshotOf(plan.target.root));
    const brokenBefore = services
      .all()
      .filter(({ lifecycle }) => lifecycle.state === "BROKEN")
      .map(({ name }) => name);
    const ongoing: Ongoing = {
      deployment: this.#deployment,
      stage: restarts(plan) ? "bootstrapping" : "merging",
      obsolete: [...plan.obsolete],
      brokenBefore,
      bootstrap: [...plan.bootstraps],
      restarts: restarts(plan),
    };
    await this.#remember(ongoing);
    if (restarts(plan)) return this.#bootstrap(ongoing);
    const group = groupOf(document.configurationArn, document.onBehalfOf);
    return this.#merge(document, ongoing, plan.target, [...memberOf, group]);
  }

  /** Bootstrap steps, one after the other; the nucleus starts anew after them, and in between where one asks for it. */
  async #bootstrap(ongoing: Ongoing): Promise<Restart> {
    const target = await this.#kept("target_config.tlog");
    try {
      const asked = await runBootstraps(ongoing, target, this.#activation());
      if (asked !== undefined) return asked;
      await this.#remember({ ...ongoing, stage: "activating", bootstrap: [] });
    } catch (thrown) {
      this.#die.throwIfAborted();
      await this.#turnBack(ongoing, failureOf(thrown));
    }
    return { restart: "nucleus" };
  }

  /** From here on the deployment leads back; where it restarted the nucleus, old bootstrap steps may have to run again. */
  async #turnBack(ongoing: Ongoing, failure: Failure): Promise<void> {
    const snapshot = await this.#kept("rollback_snapshot.tlog");
    const target = await this.#kept("target_config.tlog");
    const again = ongoing.restarts ? bootstrapsAgain(snapshot, target) : [];
    await this.#remember({
      ...ongoing,
      stage: "rolling back",
      failure: written(failure),
      bootstrap: again,
    });
  }

  async #kept(file: string): Promise<Plan["target"]> {
    const text = await this.#options.root.readText(`${folderOf(this.#deployment.id)}/${file}`);
    return replayed(text ?? "").tree;
  }

  async #merge(
    document: DeploymentDocument,
    ongoing: Ongoing,
    target: Plan["target"],
    memberOf: readonly string[],
  ): Promise<DeploymentResult | Restart> {
    const options = this.#activation();
    try {
      await activate(target, options);
      await retire(ongoing.obsolete, options);
      await this.#record(document, memberOf);
      return { status: "SUCCEEDED", detailedStatus: "SUCCESSFUL", failure: undefined };
    } catch (thrown) {
      this.#die.throwIfAborted();
      const failure = failureOf(thrown);
      if (document.failureHandlingPolicy === "DO_NOTHING" && !ongoing.restarts) {
        await this.#record(document, memberOf);
        return failed("FAILED_ROLLBACK_NOT_REQUESTED", failure);
      }
      await this.#turnBack(ongoing, failure);
      // The restart comes first: it is the nucleus itself that goes back.
      if (ongoing.restarts) return { restart: "nucleus" };
      return await this.#rollBack(document, ongoing, failure);
    } finally {
      if (!this.#die.aborted) this.#tellDone(document);
    }
  }

  async #rollBack(
    document: DeploymentDocument,
    ongoing: Ongoing,
    failure: Failure,
  ): Promise<DeploymentResult | Restart> {
    this.#options.log.warn("the deployment failed and is rolled back", { why: failure.cause });
    const snapshot = await this.#kept("rollback_snapshot.tlog");
    try {
      const asked = await runBootstraps(ongoing, snapshot, this.#activation());
      if (asked !== undefined) return asked;
      await rollBack(snapshot, ongoing.brokenBefore, this.#activation());
      return failed("FAILED_ROLLBACK_COMPLETE", failure);
    } catch (thrown) {
      this.#die.throwIfAborted();
      this.#options.log.error("the device could not be rolled back", { why: messageOf(thrown) });
      return failed("FAILED_UNABLE_TO_ROLLBACK", failure);
    }
  }

  #tellDone(document: DeploymentDocument): void {
    if (document.componentUpdatePolicy.action === "NOTIFY_COMPONENTS")
      this.#options.updates.done(document.deploymentId);
  }

  async #record(document: DeploymentDocument, memberOf: readonly string[]): Promise<void> {
    const { configuration, clock, thingName } = this.#options;
    const group = groupOf(document.configurationArn, document.onBehalfOf);
    const now: Instant = clock.now();
    this.#records.record(group, document, [...memberOf, `thing/${thingName}`, LOCAL_GROUP], now);
    await configuration.synced();
  }

  #activation() {
    const { clock, log, services, configuration, store } = this.#options;
    const { tree } = configuration;
    return {
      clock,
      log,
      services,
      tree,
      synced: () => configuration.synced(),
      signal: this.#die,
      remember: (ongoing: Ongoing) => this.#remember(ongoing),
      ownerOf: async (component: string): Promise<string> => {
        const version = tree.getText(["services", component, "version"]) ?? "";
        const owner = (await store.arnOf(component, version))?.split(":")[4];
        if (owner === undefined || owner === "") return "COMPONENT_ERROR";
        return owner === "aws" ? "AWS_COMPONENT_ERROR" : "USER_COMPONENT_ERROR";
      },
    };
  }

  async #remember(ongoing: Ongoing): Promise<void> {
    await this.#options.root.writeText(ONGOING, JSON.stringify(ongoing));
  }
}

function restarts(plan: Plan): boolean {
  return plan.bootstraps.length > 0 || plan.restartsNucleus;
}

function parseDocument(json: unknown): DeploymentDocument {
  try {
    return parseDeploymentDocument(json);
  } catch (failure) {
    throw new DeploymentError(["DEPLOYMENT_DOCUMENT_PARSE_ERROR"], messageOf(failure));
  }
}

function failed(
  detailedStatus: NonNullable<DeploymentResult["detailedStatus"]>,
  failure: Failure,
): DeploymentResult {
  return { status: "FAILED", detailedStatus, failure };
}

function written(failure: Failure): NonNullable<Ongoing["failure"]> {
  return { cause: failure.cause, errorStack: [...failure.errorStack], errorTypes: [...failure.errorTypes] };
}
