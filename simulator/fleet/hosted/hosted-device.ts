import { dirname } from "node:path";
import { componentNames } from "@coalmine/contract";
import { ipcPort } from "@coalmine/ipc";
import type { Subscription } from "@coalmine/ports";
import { invariant, messageOf, silentLog, type DrivenClock, type SeededRandom } from "@coalmine/runtime";
import type { Cloud } from "../../cloud/cloud.ts";
import { linkPair } from "../../cloud/broker/link-pair.ts";
import { dataPlaneHandler } from "../../cloud/greengrass/data-plane.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";
import { ServiceError, type Caller } from "../../cloud/service.ts";
import { CoreDevice, type ComponentStatus, type DeviceEvent } from "../../core-device/core-device.ts";
import { Ongoing } from "../../core-device/deployment/deployment.ts";
import { ONGOING } from "../../core-device/deployment/deployment-task.ts";
import type { ArtifactCache } from "../../core-device/hosted/artifact-cache.ts";
import { hostedDataPlane } from "../../core-device/hosted/data-plane.ts";
import { HostedLauncher } from "../../core-device/hosted/hosted-launcher.ts";
import { HostedRoot } from "../../core-device/hosted/hosted-root.ts";
import { MemoryDisk } from "../../core-device/hosted/memory-disk.ts";
import { HostedMqttLink } from "../../core-device/hosted/mqtt-link.ts";
import {
  DataPlaneError,
  type LaunchedProcess,
  type Launcher,
  type Platform,
} from "../../core-device/ports.ts";
import type { Instrument } from "../../instruments/instrument.ts";
import type { Ledger } from "../../instruments/ledger.ts";
import { awsCalls, HostedAwsError, type AwsCalls } from "./aws-calls.ts";
import { Bench, type InstrumentKind } from "./bench.ts";
import { ComponentPorts, type StartedComponent } from "./component-ports.ts";
import type { ComponentUse } from "./component-use.ts";
import { DeviceClock } from "./device-clock.ts";
import { Network } from "./network.ts";
import { hostedCredentials } from "./hosted-credentials.ts";
import type { SharedModels } from "./shared-models.ts";
import type { DiskTrouble } from "./troubled-files.ts";
import type { Conduct } from "./watched-ipc.ts";

export const NUCLEUS_VERSION = "2.18.0";
const ROOT = "/greengrass/v2";
/** A request to a cloud in the same part of the world, in virtual milliseconds: log-normal about the median. */
const REQUEST_MS_MEDIAN = 60;
const REQUEST_LOG_DEVIATION = 0.4;

export interface HostedDeviceOptions {
  readonly thingName: string;
  readonly certificateId: string;
  readonly roleAlias: string;
  readonly cloud: Cloud<LocalIot>;
  readonly region: string;
  readonly clock: DrivenClock;
  readonly random: SeededRandom;
  readonly artifacts: ArtifactCache;
  readonly models: SharedModels;
  readonly platform: Platform;
  /** Of each instrument by its id. */
  readonly ledgerOf: (instrument: string) => Ledger;
  readonly fibrinogen: readonly number[];
  readonly load: DeviceLoad;
  readonly make: DeviceMake;
  /** On the cloud's own clock. */
  readonly cloudTime: () => number;
  readonly conduct?: DeviceConduct | undefined;
  readonly heard: (event: HostedEvent) => void;
  /** Told each secret that the device is given. */
  readonly confided?: ((secret: string) => void) | undefined;
}

/** What tells one device of a fleet from another. */
export interface DeviceMake {
  readonly instruments: readonly InstrumentKind[];
  readonly timeZone: string;
  /** What one component may fill of its disk. */
  readonly workFolderBytesMax: number;
}
export const usualMake: DeviceMake = {
  instruments: ["rheometer"],
  timeZone: "UTC",
  workFolderBytesMax: 4 * 1024 ** 3,
};

/** Who sees what components do, and what is called of AWS; `refusal` is the service's code. */
export interface DeviceConduct {
  of(component: string): Conduct;
  called(service: string, operation: string, refusal: string | undefined): void;
}

/** What a device has to do; `reference-load.ts` has the usual. */
export interface DeviceLoad {
  readonly curvePeriodMs: number;
  /** The first curve is somewhen in the period after this. */
  readonly firstCurveMs?: number;
  readonly controlEvery: number;
  /** Instruments send a curve when it is done; `point` for those that send each point as it is measured. */
  readonly transmit?: "point" | "curve";
  readonly started?: (component: StartedComponent) => void;
}

export type HostedEvent =
  | { readonly kind: "power"; readonly isOn: boolean }
  | { readonly kind: "device"; readonly event: DeviceEvent }
  | { readonly kind: "uploaded"; readonly bucket: string; readonly key: string; readonly bytes: number };

/** One simulated core device with its instrument: the real nucleus's double, and the components' own bundles. */
export class HostedDevice {
  readonly thingName: string;
  readonly clock: DeviceClock;
  readonly network = new Network();
  /** Its instruments and their cables. */
  readonly bench: Bench;
  /** What is the matter with its disk; its own files are spared, its components' are not. */
  diskTrouble: DiskTrouble | undefined;
  readonly #options: HostedDeviceOptions;
  readonly #root: HostedRoot;
  readonly #disk: MemoryDisk;
  readonly #ports: ComponentPorts;
  /** What runs, by component: for who wants to kill it. */
  readonly #running = new Map<string, LaunchedProcess>();
  #certificateId: string;
  #device: CoreDevice | undefined;
  #starts = 0;

  constructor(options: HostedDeviceOptions) {
    const { thingName, random, region, models, load, artifacts, make, conduct } = options;
    this.#options = options;
    this.thingName = thingName;
    this.#certificateId = options.certificateId;
    this.clock = new DeviceClock(options.clock);
    this.#disk = new MemoryDisk(this.clock);
    this.#root = new HostedRoot(ROOT, this.#disk, artifacts);
    this.bench = new Bench({ ...options, instruments: make.instruments });
    this.#ports = new ComponentPorts({
      thingName,
      region,
      clock: this.clock,
      cloudTime: options.cloudTime,
      random: random.fork("components"),
      root: this.#root,
      links: this.bench.links,
      models,
      call: this.#awsCalls(),
      service: () => this.core.service,
      workFolderBytesMax: make.workFolderBytesMax,
      diskTrouble: () => this.diskTrouble,
      conductOf: (component) => conduct?.of(component) ?? unwatched,
      ...(load.started === undefined ? {} : { started: load.started }),
    });
  }

  /** The instrument that it has had from the beginning. */
  get instrument(): Instrument {
    return this.bench.first;
  }

  /** Whether there is a way to the cloud, and TLS takes it. */
  get reachesCloud(): boolean {
    return this.network.isOnline && this.clock.trustsCertificates;
  }

  get certificateId(): string {
    return this.#certificateId;
  }

  /** From the next connection on. */
  useCertificate(certificateId: string): void {
    this.#certificateId = certificateId;
  }

  /** Calls when a deployment's record on the disk says that it has come to that stage; gives how to end that. */
  onDeploymentStage(stage: string, reached: () => void): { close(): void } {
    return this.#disk.watch(dirname(ONGOING), () => {
      const record = Recorded.safeParse(parsed(this.#disk.text(ONGOING)));
      if (record.success && record.data.stage === stage) reached();
    });
  }

  /** What each component said and holds, by its name. */
  uses(): ReadonlyMap<string, ComponentUse> {
    return this.#ports.uses();
  }

  /** A line on a component's standard output, as if it had said it. */
  write(component: string, line: string): void {
    this.#ports.write(component, line);
  }

  /** Bytes in the components' work folders, and in all other files of the device, its logs among them. */
  diskUse(): { readonly work: ReadonlyMap<string, number>; readonly restBytes: number } {
    return { work: this.#ports.workFolderBytes(), restBytes: this.#disk.usedBytes() };
  }

  /** In the name of a component that asks nothing itself, updates are asked to wait for so long, again and again. */
  deferUpdates(waitMs: number): Promise<Subscription> {
    const { clock } = this;
    const ipc = ipcPort(this.core.service, componentNames.nodeRuntime, {
      clock,
      log: silentLog,
      process: unfailing,
    });
    return ipc.subscribeToComponentUpdates({ before: () => waitMs, after: () => undefined });
  }

  /** The core device that runs. */
  get core(): CoreDevice {
    invariant(this.#device !== undefined, `${this.thingName} has no power; switch it on first`);
    return this.#device;
  }

  get hasPower(): boolean {
    return this.#device !== undefined;
  }

  components(): readonly ComponentStatus[] {
    return this.#device?.components() ?? [];
  }

  /** Switches on: on the same disk as before, if there was a before. */
  async start(): Promise<void> {
    invariant(this.#device === undefined, `${this.thingName} runs already`);
    if (this.#starts === 0) this.bench.start();
    this.#options.heard({ kind: "power", isOn: true });
    const device = this.#assemble(++this.#starts);
    this.#device = device;
    device.watch((event) => this.#options.heard({ kind: "device", event }));
    await device.start();
  }

  async stop(): Promise<void> {
    await this.#device?.stop();
    this.#device = undefined;
    this.bench.stop();
  }

  /** The device's power goes; its instrument has its own. */
  async cutPower(): Promise<void> {
    const device = this.#device;
    if (device === undefined) return;
    // First, since whoever has no power says no farewell either.
    this.network.vanish();
    await device.cut();
    this.#device = undefined;
    this.#options.heard({ kind: "power", isOn: false });
  }

  /** Components that have a process, in order of their names. */
  running(): readonly string[] {
    return [...this.#running.keys()].sort();
  }

  /** SIGKILL; answers whether it ran. */
  kill(component: string): boolean {
    const process = this.#running.get(component);
    process?.kill();
    return process !== undefined;
  }

  #assemble(start: number): CoreDevice {
    const { thingName, region, random, cloud, platform, roleAlias, make } = this.#options;
    const { clock } = this;
    const own = random.fork(`core/${start}`);
    const { broker } = cloud.iot;
    const cloudLink = new HostedMqttLink({
      clientId: thingName,
      clock,
      random: own.fork("mqtt"),
      open: async () => {
        if (!clock.trustsCertificates) throw new Error("the server's certificate is not yet valid");
        const certificateId = this.#certificateId;
        return this.network.connect(linkPair, (far) =>
          broker.accept(far, { certificateId, thingName, kind: "in-process" }),
        );
      },
    });
    return new CoreDevice({
      thingName,
      region,
      clock,
      random: own,
      root: this.#root,
      cloudLink,
      dataPlane: this.#dataPlane(),
      launcher: this.#launcher(),
      platform,
      nucleusVersion: NUCLEUS_VERSION,
      environment: { PATH: "/usr/bin:/bin", TZ: make.timeZone },
      log: silentLog,
      nucleusConfiguration: { iotRoleAlias: roleAlias },
    });
  }

  #launcher(): Launcher {
    const { clock } = this.#options;
    const hosted = new HostedLauncher({
      root: this.#root,
      portsFor: this.#ports.portsFor,
      busy: () => clock.busy(),
    });
    return {
      launch: (command) => {
        this.#options.confided?.(command.environment["SVCUID"] ?? "");
        const process = hosted.launch(command);
        this.#running.set(command.component, process);
        void process.exited.then(() => {
          if (this.#running.get(command.component) === process) this.#running.delete(command.component);
        });
        return process;
      },
      holds: (condition) => hosted.holds(condition),
    };
  }

  #dataPlane() {
    const { thingName, cloud } = this.#options;
    return hostedDataPlane({
      thingName,
      certificateId: () => this.#certificateId,
      dataPlane: dataPlaneHandler(cloud.dataPlane),
      credentials: hostedCredentials(cloud.iot.credentials, this.#options.confided),
      readObject: async (Bucket, Key) => {
        try {
          const answer: { Body?: Uint8Array } = await cloud.invoke(
            "s3",
            "GetObject",
            { Bucket, Key },
            await this.#caller(),
          );
          return answer.Body ?? new Uint8Array();
        } catch (failure) {
          if (failure instanceof ServiceError)
            throw new DataPlaneError(failure.statusCode, `s3://${Bucket}/${Key}: ${messageOf(failure)}`);
          throw failure;
        }
      },
      isOnline: () => this.reachesCloud,
    });
  }

  /** The device's role, by credentials that count now on the cloud's clock. */
  async #caller(): Promise<Caller> {
    const { cloud, cloudTime } = this.#options;
    const { accessKeyId } = await this.core.credentials();
    const known = cloud.iot.credentials.resolveCredentials(accessKeyId);
    if (known === undefined || known.expiresAt <= cloudTime())
      throw new ServiceError("ExpiredToken", 400, "The provided token has expired.");
    return known.caller;
  }

  #awsCalls(): AwsCalls {
    const { cloud, clock, random, heard, conduct } = this.#options;
    const own = random.fork("requests");
    const call = awsCalls(
      (service, operation, input, caller) => cloud.invoke(service, operation, input, caller),
      () => this.#caller(),
      () => this.reachesCloud,
      () => clock.sleep(REQUEST_MS_MEDIAN * Math.exp(REQUEST_LOG_DEVIATION * own.normal())),
    );
    return async (service, operation, input) => {
      const answer = await call(service, operation, input).catch((failure: unknown) => {
        conduct?.called(service, operation, failure instanceof HostedAwsError ? failure.code : undefined);
        throw failure;
      });
      conduct?.called(service, operation, undefined);
      if (operation === "PutObject") {
        const { Bucket, Key, Body }: { Bucket: string; Key: string; Body: Uint8Array } = input;
        heard({ kind: "uploaded", bucket: Bucket, key: Key, bytes: Body.length });
      }
      return answer;
    };
  }
}

/** A subscription that ends with the nucleus fails nobody. */
const unfailing = { fail: (): void => undefined };
const Recorded = Ongoing.pick({ stage: true });
function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    // It is just being written.
    return null;
  }
}
const unwatched: Conduct = { published: () => undefined, refused: () => undefined };
