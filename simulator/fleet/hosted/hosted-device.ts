import { invariant, messageOf, silentLog, type DrivenClock, type SeededRandom } from "@coalmine/runtime";
import type { Cloud } from "../../cloud/cloud.ts";
import { linkPair } from "../../cloud/broker/link-pair.ts";
import { dataPlaneHandler } from "../../cloud/greengrass/data-plane.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";
import { ServiceError, type Caller } from "../../cloud/service.ts";
import { CoreDevice, type ComponentStatus, type DeviceEvent } from "../../core-device/core-device.ts";
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
import { hostedLinks } from "../../instruments/hosted-links.ts";
import { Instrument } from "../../instruments/instrument.ts";
import type { Ledger } from "../../instruments/ledger.ts";
import { Rheometer } from "../../instruments/rheometer.ts";
import { awsCalls, type AwsCalls } from "./aws-calls.ts";
import { ComponentPorts, type StartedComponent } from "./component-ports.ts";
import type { ComponentUse } from "./component-use.ts";
import { Network } from "./network.ts";
import { hostedCredentials } from "./hosted-credentials.ts";
import type { SharedModels } from "./shared-models.ts";

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
  readonly ledger: Ledger;
  readonly fibrinogen: readonly number[];
  readonly load: DeviceLoad;
  readonly heard: (event: HostedEvent) => void;
  /** Told each secret that the device is given. */
  readonly confided?: ((secret: string) => void) | undefined;
}

/** What a device has to do; `reference-load.ts` has the usual. */
export interface DeviceLoad {
  readonly curvePeriodMs: number;
  readonly controlEvery: number;
  /** Instruments send a curve when it is done; `point` for those that send each point as it is measured. */
  readonly transmit?: "point" | "curve";
  readonly started?: (component: StartedComponent) => void;
}

export type HostedEvent =
  | { readonly kind: "device"; readonly event: DeviceEvent }
  | { readonly kind: "uploaded"; readonly bucket: string; readonly key: string; readonly bytes: number };

/** One simulated core device with its instrument: the real nucleus's double, and the components' own bundles. */
export class HostedDevice {
  readonly thingName: string;
  readonly certificateId: string;
  readonly network = new Network();
  readonly instrument: Instrument;
  readonly #options: HostedDeviceOptions;
  readonly #root: HostedRoot;
  readonly #ports: ComponentPorts;
  /** What runs, by component: for who wants to kill it. */
  readonly #running = new Map<string, LaunchedProcess>();
  #device: CoreDevice | undefined;
  #starts = 0;

  constructor(options: HostedDeviceOptions) {
    const { thingName, clock, random, region, models, load, ledger, fibrinogen, artifacts } = options;
    this.#options = options;
    this.thingName = thingName;
    this.certificateId = options.certificateId;
    this.#root = new HostedRoot(ROOT, new MemoryDisk(clock), artifacts);
    const own = random.fork("instrument");
    this.instrument = new Instrument({
      id: `rheo-${thingName}`,
      clock,
      random: own,
      source: new Rheometer({ random: own.fork("rheometer"), fibrinogen }),
      ledger,
      periodMs: load.curvePeriodMs,
      // Spread, since no two were switched on at once.
      phaseMs: Math.floor(own.fork("phase").next() * load.curvePeriodMs),
      controlEvery: load.controlEvery,
      transmit: load.transmit ?? "curve",
    });
    const links = hostedLinks([this.instrument]);
    this.#ports = new ComponentPorts({
      thingName,
      region,
      clock,
      random: random.fork("components"),
      root: this.#root,
      links,
      models,
      call: this.#awsCalls(),
      service: () => this.core.service,
      ...(load.started === undefined ? {} : { started: load.started }),
    });
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

  /** What each component used so far, by its name. */
  uses(): ReadonlyMap<string, ComponentUse> {
    return this.#ports.uses();
  }

  /** A line on a component's standard output, as if it had said it. */
  write(component: string, line: string): void {
    this.#ports.write(component, line);
  }

  /** Switches on: on the same disk as before, if there was a before. */
  async start(): Promise<void> {
    invariant(this.#device === undefined, `${this.thingName} runs already`);
    if (this.#starts === 0) this.instrument.start();
    const device = this.#assemble(++this.#starts);
    this.#device = device;
    device.watch((event) => this.#options.heard({ kind: "device", event }));
    await device.start();
  }

  async stop(): Promise<void> {
    await this.#device?.stop();
    this.#device = undefined;
    this.instrument.stop();
  }

  /** The device's power goes; its instrument has its own. */
  async cutPower(): Promise<void> {
    const device = this.#device;
    if (device === undefined) return;
    // First, since whoever has no power says no farewell either.
    this.network.vanish();
    await device.cut();
    this.#device = undefined;
  }

  /** SIGKILL; answers whether it ran. */
  kill(component: string): boolean {
    const process = this.#running.get(component);
    process?.kill();
    return process !== undefined;
  }

  #assemble(start: number): CoreDevice {
    const { thingName, region, clock, random, cloud, platform, certificateId, roleAlias } = this.#options;
    const own = random.fork(`core/${start}`);
    const { broker } = cloud.iot;
    const cloudLink = new HostedMqttLink({
      clientId: thingName,
      clock,
      random: own.fork("mqtt"),
      open: () =>
        this.network.connect(linkPair, (far) =>
          broker.accept(far, { certificateId, thingName, kind: "in-process" }),
        ),
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
      environment: { PATH: "/usr/bin:/bin" },
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
    const { thingName, certificateId, cloud } = this.#options;
    return hostedDataPlane({
      thingName,
      certificateId,
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
      isOnline: () => this.network.isOnline,
    });
  }

  /** The device's role, by credentials that count now on the cloud's clock. */
  async #caller(): Promise<Caller> {
    const { cloud, clock } = this.#options;
    const { accessKeyId } = await this.core.credentials();
    const known = cloud.iot.credentials.resolveCredentials(accessKeyId);
    if (known === undefined || known.expiresAt <= clock.now())
      throw new ServiceError("ExpiredToken", 400, "The provided token has expired.");
    return known.caller;
  }

  #awsCalls(): AwsCalls {
    const { cloud, clock, random, heard } = this.#options;
    const own = random.fork("requests");
    const call = awsCalls(
      (service, operation, input, caller) => cloud.invoke(service, operation, input, caller),
      () => this.#caller(),
      () => this.network.isOnline,
      () => clock.sleep(REQUEST_MS_MEDIAN * Math.exp(REQUEST_LOG_DEVIATION * own.normal())),
    );
    return async (service, operation, input) => {
      const answer = await call(service, operation, input);
      if (operation === "PutObject") {
        const { Bucket, Key, Body }: { Bucket: string; Key: string; Body: Uint8Array } = input;
        heard({ kind: "uploaded", bucket: Bucket, key: Key, bytes: Body.length });
      }
      return answer;
    };
  }
}
