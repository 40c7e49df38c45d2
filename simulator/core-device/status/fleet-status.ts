import type { Clock, JsonObject, Log, Random, Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { inChunks, PAYLOAD_BYTES_MAX } from "../cloud/chunks.ts";
import type { CloudSession } from "../cloud/session.ts";
import type { ConfigurationTree } from "../configuration/tree.ts";
import type { Deployment } from "../deployment/deployment.ts";
import type { DeploymentResult } from "../deployment/deployment-error.ts";
import type { DeploymentListener } from "../deployment/deployment-service.ts";
import { GroupRecords } from "../deployment/group-records.ts";
import { isObject, textMember } from "../json.ts";
import type { StateChange } from "../lifecycle/lifecycle.ts";
import type { Component, Services } from "../lifecycle/services.ts";
import { isTerminal } from "../lifecycle/states.ts";
import type { Platform } from "../ports.ts";

/** Between two messages that tell of components. */
const COMPONENT_STATUS_MS = 3000;
const CADENCE_MIN_SECONDS = 86_400;
const RECONNECT_QUIET_MS = 60_000;
const SEQUENCE = ["services", "FleetStatusService", "sequenceNumber"];

interface FleetStatusOptions {
  readonly thingName: string;
  readonly nucleusVersion: string;
  readonly platform: Platform;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly session: CloudSession;
  readonly tree: ConfigurationTree;
  readonly services: Services;
  readonly isDeploying: () => boolean;
  /** Resolves when every change so far is on the disk. */
  readonly synced: () => Promise<void>;
}

/** Tells the cloud which components the device has, and how they are. */
export class FleetStatus implements DeploymentListener {
  readonly #options: FleetStatusOptions;
  readonly #records: GroupRecords;
  /** Changed since the last message; a component that went is in it too. */
  #changed = new Map<string, JsonObject>();
  #launched = false;
  #timer: Timer | undefined;
  #cadence: Timer | undefined;
  #lastComponentsMs = Number.NEGATIVE_INFINITY;
  #lastReconnectMs = Number.NEGATIVE_INFINITY;

  constructor(options: FleetStatusOptions) {
    this.#options = options;
    this.#records = new GroupRecords(options.tree);
    options.session.onConnected(() => this.#onConnected());
  }

  /** The first message of a run: everything. */
  launch(): void {
    this.#launched = true;
    this.#publish("COMPLETE", "NUCLEUS_LAUNCH", this.#all());
    this.#planCadence(true);
  }

  /** The components that stop from now on are no news: their device stops. */
  stop(): void {
    this.#launched = false;
    this.#timer?.cancel();
    this.#cadence?.cancel();
  }

  changed(component: Component, change: StateChange): void {
    this.#changed.set(component.name, this.#entry(component, change.to));
    const { isDeploying, services } = this.#options;
    const deploying = isDeploying();
    const settled = (): boolean => services.all().every(({ lifecycle }) => isTerminal(lifecycle.state));
    if (change.to === "ERRORED" || (!deploying && (change.to === "BROKEN" || settled()))) this.#tellSoon();
  }

  async begun(): Promise<void> {}

  async ended(deployment: Deployment, result: DeploymentResult): Promise<void> {
    if (result.status === "CANCELED") return;
    const document = isObject(deployment.document) ? deployment.document : {};
    const roots = isObject(document["components"]) ? Object.keys(document["components"]) : [];
    const { detailedStatus, failure } = result;
    const information: JsonObject = {
      status: result.status,
      statusDetails: {
        ...(detailedStatus === undefined ? {} : { detailedStatus }),
        ...(failure === undefined
          ? {}
          : {
              failureCause: failure.cause,
              errorStack: [...failure.errorStack],
              errorTypes: [...failure.errorTypes],
            }),
      },
      fleetConfigurationArnForStatus: textMember(document, "configurationArn") ?? deployment.id,
      deploymentId: textMember(document, "deploymentId") ?? deployment.id,
      unchangedRootComponents: roots.filter((name) => !this.#changed.has(name)),
    };
    const trigger = {
      IOT_JOBS: "THING_GROUP_DEPLOYMENT",
      SHADOW: "THING_DEPLOYMENT",
      LOCAL: "LOCAL_DEPLOYMENT",
    } as const;
    this.#publish("PARTIAL", trigger[deployment.source], this.#takeChanged(), information);
  }

  get #hasConnected(): boolean {
    return this.#lastReconnectMs !== Number.NEGATIVE_INFINITY;
  }

  #onConnected(): void {
    if (!this.#launched) return;
    const now = this.#options.clock.monotonicMs();
    if (now - this.#lastReconnectMs < RECONNECT_QUIET_MS && this.#changed.size === 0) return;
    if (this.#hasConnected) this.#publish("PARTIAL", "RECONNECT", this.#takeChanged());
    this.#lastReconnectMs = now;
  }

  /** At once, or when three seconds have passed since the last. */
  #tellSoon(): void {
    if (this.#timer !== undefined || !this.#launched) return;
    const { clock } = this.#options;
    const waitMs = Math.max(0, this.#lastComponentsMs + COMPONENT_STATUS_MS - clock.monotonicMs());
    this.#timer = clock.timer(waitMs, () => {
      this.#timer = undefined;
      this.#lastComponentsMs = clock.monotonicMs();
      // What changes offline is told on reconnecting; before the first connection the spooler keeps it.
      const isCutOff = this.#hasConnected && !this.#options.session.isConnected;
      if (this.#changed.size > 0 && !isCutOff)
        this.#publish("PARTIAL", "COMPONENT_STATUS_CHANGE", this.#takeChanged());
    });
  }

  #planCadence(isFirst: boolean): void {
    const { clock, random, session, isDeploying, tree } = this.#options;
    const path = [
      "services",
      "aws.greengrass.Nucleus",
      "configuration",
      "fleetStatus",
      "periodicStatusPublishIntervalSeconds",
    ];
    const everyMs = Math.max(CADENCE_MIN_SECONDS, tree.getNumber(path) ?? 0) * 1000;
    this.#cadence = clock.timer(isFirst ? random.next() * everyMs : everyMs, () => {
      if (session.isConnected && !isDeploying()) this.#publish("COMPLETE", "CADENCE", this.#all());
      this.#planCadence(false);
    });
  }

  #all(): JsonObject[] {
    this.#changed = new Map();
    return this.#options.services.all().map((component) => this.#entry(component, component.lifecycle.state));
  }

  #takeChanged(): JsonObject[] {
    const changed = [...this.#changed.values()];
    this.#changed = new Map();
    return changed;
  }

  #entry({ name, definition, lifecycle }: Component, status: string): JsonObject {
    const { details } = lifecycle;
    return {
      componentName: name,
      version: definition.version,
      fleetConfigArns: [...this.#records.arnsOf(name)],
      componentStatusDetails:
        details === undefined ? null : { statusCodes: [details.code], statusReason: details.reason },
      isRoot: this.#records.isRoot(name),
      status,
    };
  }

  #publish(
    messageType: "COMPLETE" | "PARTIAL",
    trigger: string,
    components: JsonObject[],
    deploymentInformation?: JsonObject,
  ): void {
    const { thingName, nucleusVersion, platform, clock, synced, tree, services, log } = this.#options;
    const broken = services.all().some(({ lifecycle }) => lifecycle.state === "BROKEN");
    const sequenceNumber = (tree.getNumber(SEQUENCE) ?? -1) + 1;
    tree.set(SEQUENCE, sequenceNumber, clock.now());
    const head: JsonObject = {
      ggcVersion: nucleusVersion,
      platform: platform["os"] ?? "linux",
      architecture: platform["architecture"] ?? "amd64",
      thing: thingName,
      overallDeviceStatus: broken ? "UNHEALTHY" : "HEALTHY",
      sequenceNumber,
      timestamp: Math.round(clock.now()),
      messageType,
      trigger,
      ...(deploymentInformation === undefined ? {} : { deploymentInformation }),
    };
    const room = PAYLOAD_BYTES_MAX - Buffer.byteLength(JSON.stringify(head)) - 100;
    const chunks = inChunks(components, room);
    // A number that a power cut could take back is not told yet.
    synced().then(
      () => this.#spool(head, chunks),
      (failure: unknown) =>
        log.warn("a fleet status could not be numbered", { trigger, why: messageOf(failure) }),
    );
  }

  #spool(head: JsonObject, chunks: readonly JsonObject[][]): void {
    const { thingName, session, log } = this.#options;
    for (const [index, chunk] of chunks.entries()) {
      const chunkInfo =
        chunks.length > 1 ? { chunkInfo: { chunkId: index + 1, totalChunks: chunks.length } } : {};
      try {
        const payload = JSON.stringify({ ...head, ...chunkInfo, components: chunk });
        session.spooler.add(
          `$aws/things/${thingName}/greengrassv2/health/json`,
          new TextEncoder().encode(payload),
          1,
        );
      } catch (failure) {
        log.warn("a fleet status could not be kept for sending", { why: messageOf(failure) });
      }
    }
  }
}
