import type { Clock, JsonObject, Log, Random } from "@coalmine/ports";
import type { IpcService } from "@coalmine/ipc";
import { messageOf } from "@coalmine/runtime";
import { AwsPlugins } from "./aws-plugins.ts";
import { CloudSession } from "./cloud/session.ts";
import { placeSpool, spoolSettingsIn } from "./cloud/spool-place.ts";
import { spoolDefaults, type SpoolSettings } from "./cloud/spool-settings.ts";
import { configureNucleus } from "./configuration/nucleus-configuration.ts";
import type { ConfigurationTree } from "./configuration/tree.ts";
import { TransactionLog } from "./configuration/transaction-log.ts";
import { CredentialsCache, type Credentials } from "./credentials/credentials.ts";
import { credentialsEndpoint, type CredentialsEndpoint } from "./credentials/credentials-endpoint.ts";
import { ComponentUpdates } from "./deployment/component-updates.ts";
import { ConfigurationValidation } from "./deployment/configuration-validation.ts";
import {
  DeploymentService,
  POLLING_SECONDS,
  type DeploymentListener,
} from "./deployment/deployment-service.ts";
import type { Deployment } from "./deployment/deployment.ts";
import type { DeploymentResult } from "./deployment/deployment-error.ts";
import { JobDeployments } from "./deployment/job-deployments.ts";
import { NUCLEUS, TOKEN_EXCHANGE } from "./deployment/plan.ts";
import { ShadowDeployments } from "./deployment/shadow-deployments.ts";
import { LocalDeployments } from "./deployment/local-deployments.ts";
import { CoreService } from "./ipc/core-service.ts";
import { LocalTopics } from "./ipc/local-topics.ts";
import { Services } from "./lifecycle/services.ts";
import type { State, StatusDetails } from "./lifecycle/states.ts";
import type {
  CloudLink,
  DataPlane,
  DeviceRoot,
  Launcher,
  LocalFolder,
  Platform,
  SystemMetrics,
} from "./ports.ts";
import type { SecretEnd } from "./secrets/secret-manager.ts";
import { FleetStatus } from "./status/fleet-status.ts";
import { ComponentStore } from "./store/component-store.ts";
import { CuttableRoot } from "./store/cuttable-root.ts";
import { Telemetry } from "./telemetry/telemetry.ts";

const CONFIGURED = ["services", NUCLEUS, "configuration"];
const RETRY = ["services", TOKEN_EXCHANGE, "configuration", "credentialRetryInSec"];

/** Where components of a process device fetch credentials; a hosted device needs none. */
export interface CredentialsDoor {
  open(answer: CredentialsEndpoint): Promise<{ readonly uri: string; close(): Promise<void> }>;
}

export interface CoreDeviceOptions {
  readonly thingName: string;
  readonly region: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly root: DeviceRoot;
  readonly cloudLink: CloudLink;
  readonly dataPlane: DataPlane;
  readonly launcher: Launcher;
  readonly platform: Platform;
  readonly nucleusVersion: string;
  /** What every component's environment begins with: PATH, HOME, service endpoints. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly rootCaPath?: string;
  /** The nucleus's own configuration (`iotRoleAlias`, `mqtt`, …), merged where it is not set yet. */
  readonly nucleusConfiguration?: JsonObject;
  readonly credentialsDoor?: CredentialsDoor;
  /** Folders that local deployments may be made from; without it they bring no files. */
  readonly localFolder?: LocalFolder;
  /** Without it there is no secret manager, whatever is deployed. */
  readonly secrets?: SecretEnd;
  /** Without it telemetry tells nothing of the machine. */
  readonly systemMetrics?: SystemMetrics;
  /** The user that the device runs as; 0, root, where nothing else is said. */
  readonly userId?: number;
}

export interface ComponentStatus {
  readonly name: string;
  readonly version: string;
  readonly state: State;
  readonly details: StatusDetails | undefined;
}

/** What a watcher of the device hears; components after each change of state, deployments at begin and end. */
export type DeviceEvent =
  | { readonly kind: "component"; readonly component: ComponentStatus; readonly from: State }
  | { readonly kind: "restart"; readonly what: "nucleus" | "device" }
  | { readonly kind: "deployment"; readonly id: string; readonly result: DeploymentResult | undefined };

interface Parts {
  readonly configuration: TransactionLog;
  readonly services: Services;
  readonly deployments: DeploymentService;
  readonly status: FleetStatus;
  readonly telemetry: Telemetry;
  readonly service: CoreService;
}

/**
 * One Greengrass core device. Everything it knows is in its root: a new `CoreDevice` on the same root goes on where the
 * last one stopped, or was cut off.
 */
export class CoreDevice {
  readonly #options: CoreDeviceOptions;
  readonly #root: CuttableRoot;
  readonly #session: CloudSession;
  readonly #credentials: CredentialsCache;
  readonly #watchers = new Set<(event: DeviceEvent) => void>();
  #parts: Parts | undefined;
  #restarting: Promise<void> | undefined;
  #isStopping = false;
  #spool: SpoolSettings = spoolDefaults;
  #credentialsAt: { readonly uri: string; close(): Promise<void> } | undefined;

  constructor(options: CoreDeviceOptions) {
    this.#options = options;
    this.#root = new CuttableRoot(options.root);
    const { cloudLink: link, clock, random, log, dataPlane } = options;
    this.#session = new CloudSession({ link, clock, random, log, spool: () => this.#spool });
    this.#credentials = new CredentialsCache(
      clock,
      dataPlane,
      () => this.#tree?.getText([...CONFIGURED, "iotRoleAlias"]),
      () => this.#tree?.getObject(RETRY) ?? {},
    );
  }

  /** Greengrass IPC of this device; answers from `start` on. */
  readonly service: IpcService = {
    authenticate: (authToken) => this.#parts?.service.authenticate(authToken),
    open: (principal, operation, request, stream) =>
      this.#started().service.open(principal, operation, request, stream),
  };

  /** Reads the root, starts the components, and connects. */
  async start(): Promise<void> {
    await this.#begin();
    this.#session.start();
  }

  /** Stops the components in order, then disconnects. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#restarting;
    await this.#end();
    await this.#session.stop();
  }

  async #begin(): Promise<void> {
    const parts = await this.#assemble();
    this.#parts = parts;
    await this.#jobs?.start();
    await this.#shadow?.start();
    const interrupted = await parts.deployments.interrupted();
    // A device that is half changed starts what its deployment makes of it.
    if (interrupted === undefined || interrupted.stage === "preparing") parts.services.apply(false);
    parts.deployments.start(interrupted);
    parts.status.launch();
    parts.telemetry.start();
  }

  async #end(): Promise<void> {
    const { deployments, services, status, telemetry, configuration } = this.#started();
    status.stop();
    telemetry.stop();
    await deployments.stop();
    await services.stop();
    await this.#credentialsAt?.close();
    await configuration.synced();
  }

  /** The nucleus ends and starts again from its disk, as its loader would have it. */
  #restart(what: "nucleus" | "device"): void {
    const again = async (): Promise<void> => {
      await this.#end();
      if (this.#isStopping) return;
      this.#session.forget();
      this.#tell({ kind: "restart", what });
      await this.#begin();
      await this.#session.resume();
    };
    const before = this.#restarting ?? Promise.resolve();
    this.#restarting = before
      .then(again)
      .catch((failure: unknown) =>
        this.#options.log.error("the nucleus could not be started again", { why: messageOf(failure) }),
      );
  }

  /** As a power cut: nothing is told to anybody, and what is not on the disk is gone. */
  async cut(): Promise<void> {
    const { deployments, services, status, telemetry } = this.#started();
    this.#root.cut();
    status.stop();
    telemetry.stop();
    services.halt();
    // It may wait for a disk that will never answer.
    void deployments.stop();
    await Promise.all([this.#session.stop(), this.#credentialsAt?.close()]);
  }

  components(): readonly ComponentStatus[] {
    return this.#started()
      .services.all()
      .map(({ name, definition, lifecycle }) => ({
        name,
        version: definition.version,
        state: lifecycle.state,
        details: lifecycle.details,
      }));
  }

  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  /** True when no deployment waits or is under way. */
  get isIdle(): boolean {
    return this.#started().deployments.isIdle;
  }

  watch(watcher: (event: DeviceEvent) => void): { close(): void } {
    this.#watchers.add(watcher);
    return { close: () => this.#watchers.delete(watcher) };
  }

  /** The device's own credentials, by its role alias. */
  credentials(): Promise<Credentials> {
    return this.#credentials.get();
  }

  configurationOf(component: string): JsonObject {
    return this.#started().configuration.tree.getObject(["services", component, "configuration"]);
  }

  #jobs: JobDeployments | undefined;
  #shadow: ShadowDeployments | undefined;

  async #assemble(): Promise<Parts> {
    const { thingName, clock, random, dataPlane, launcher, platform, nucleusVersion, log } = this.#options;
    const root = this.#root;
    const session = this.#session;
    const configuration = await TransactionLog.open(root, "config/config.tlog");
    const { tree } = configuration;
    configureNucleus(tree, {
      thingName,
      rootPath: root.path,
      nucleusVersion,
      configuration: this.#options.nucleusConfiguration ?? {},
      now: clock.now(),
    });
    await configuration.synced();
    this.#spool = spoolSettingsIn(tree);
    tree.onChange(({ path }) => {
      if (path[1] === NUCLEUS) this.#spool = spoolSettingsIn(tree);
    });
    const placed = (): Promise<void> => placeSpool(session.spooler, { tree, root, log });
    await placed();
    const topics = new LocalTopics();
    const { localFolder, secrets, userId = 0 } = this.#options;
    const plugins = new AwsPlugins({
      ...this.#options,
      root,
      tree,
      session,
      topics,
      secrets,
      userId,
      placeSpool: placed,
    });
    const services = new Services({
      clock,
      random,
      root,
      tree,
      launcher,
      surroundings: () => this.#surroundings(),
      builtIns: {
        ...plugins.builtIns,
        [TOKEN_EXCHANGE]: { start: () => this.#openCredentials(), stop: () => this.#closeCredentials() },
      },
      changed: (component, change) => {
        status.changed(component, change);
        const { name, definition } = component;
        const now = { name, version: definition.version, state: change.to, details: change.details };
        this.#tell({ kind: "component", component: now, from: change.from });
      },
    });
    const store = new ComponentStore(root);
    const updates = new ComponentUpdates(clock);
    const validation = new ConfigurationValidation(clock);
    const common = { thingName, nucleusVersion, platform, clock, random, log, root, session, tree, services };
    const status = new FleetStatus({
      ...common,
      synced: () => configuration.synced(),
      isDeploying: () => deployments.current !== undefined,
    });
    const jobs = new JobDeployments({ ...common, deployments: () => deployments });
    const shadow = new ShadowDeployments({ ...common, deployments: () => deployments });
    const local = new LocalDeployments({ ...common, store, localFolder, deployments: () => deployments });
    const deployments: DeploymentService = new DeploymentService({
      ...common,
      dataPlane,
      store,
      configuration,
      updates,
      validation,
      local,
      listeners: [jobs, shadow, local, status, this.#cleaner(store, configuration)],
      restart: (what) => this.#restart(what),
      pollingSeconds: () =>
        tree.getNumber([...CONFIGURED, "deploymentPollingFrequencySeconds"]) ?? POLLING_SECONDS,
    });
    this.#jobs = jobs;
    this.#shadow = shadow;
    const telemetry = new Telemetry({ ...common, systemMetrics: this.#options.systemMetrics });
    const service = new CoreService({
      ...common,
      measured: (component, name, unit, value) => telemetry.put(component, name, unit, value),
      topics,
      updates,
      validation,
      plugins: (authorize) => plugins.handlers(authorize, services, local),
      clientOf: (token) => plugins.clientOf(token),
    });
    return { configuration, services, deployments, status, telemetry, service };
  }

  /** After a success the versions that are neither current nor the one before go; then the watchers hear of the end. */
  #cleaner(store: ComponentStore, { tree }: TransactionLog): DeploymentListener {
    const versionsKept = (name: string): (string | undefined)[] => [
      tree.getText(["services", name, "version"]),
      tree.getText(["services", name, "previousVersion"]),
    ];
    return {
      begun: async (deployment: Deployment) =>
        this.#tell({ kind: "deployment", id: deployment.id, result: undefined }),
      ended: async (deployment, result) => {
        if (result.status === "SUCCEEDED")
          try {
            await store.cleanUp((name, version) => versionsKept(name).includes(version));
          } catch (failure) {
            this.#options.log.warn("old component versions could not be removed", {
              why: messageOf(failure),
            });
          }
        this.#tell({ kind: "deployment", id: deployment.id, result });
      },
    };
  }

  #surroundings() {
    const { thingName, region, nucleusVersion, root, environment, rootCaPath } = this.#options;
    const credentialsUri = this.#credentialsAt?.uri;
    return {
      thingName,
      region,
      nucleusVersion,
      rootPath: root.path,
      rootCaPath,
      credentialsUri,
      inherited: environment,
    };
  }

  async #openCredentials(): Promise<void> {
    const answer = credentialsEndpoint(
      this.#credentials,
      (token) => this.service.authenticate(token) !== undefined,
    );
    this.#credentialsAt = await this.#options.credentialsDoor?.open(answer);
  }

  async #closeCredentials(): Promise<void> {
    await this.#credentialsAt?.close();
    this.#credentialsAt = undefined;
  }

  /** Undefined before the device was started. */
  get #tree(): ConfigurationTree | undefined {
    return this.#parts?.configuration.tree;
  }

  #tell(event: DeviceEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  #started(): Parts {
    if (this.#parts === undefined)
      throw new Error("the core device has not been started; call start() first");
    return this.#parts;
  }
}
