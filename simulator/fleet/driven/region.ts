import { Closing, DrivenClock, SeededRandom } from "@coalmine/runtime";
import type { Clock, Instant, Log } from "@coalmine/ports";
import { Cloud } from "../../cloud/cloud.ts";
import type { CloudFunctions } from "../../cloud/functions.ts";
import { openIotParts, type LocalIot } from "../../cloud/iot-parts.ts";
import { JumpingClock } from "../../cloud/control/jumping-clock.ts";
import { memoryStore } from "../../cloud/store/memory-store.ts";
import { ArtifactCache } from "../../core-device/hosted/artifact-cache.ts";
import type { Platform } from "../../core-device/ports.ts";
import { recordedFibrinogen } from "../../instruments/recordings.ts";
import { type DeviceConduct, HostedDevice, type HostedEvent } from "../hosted/hosted-device.ts";
import { modelsInThread } from "../hosted/models-in-thread.ts";
import { SharedModels } from "../hosted/shared-models.ts";
import { drainPromises } from "./drain.ts";
import { type PlannedDevice, usualDevice } from "./fleet-plan.ts";
import { CountingLedger } from "./ledger.ts";
import { type CurveLoad, drawn, linkFaults, type LoadLine, referenceLoad } from "./reference-load.ts";
import { hostedThingName, type RegionSettings } from "./settings.ts";
import { issuePrincipal, joinDevice, setUpCloud } from "./set-up.ts";
import { SWITCHING_ON_MS } from "./switching-on.ts";
import { Turn } from "./turn.ts";

/** A Monday on which nothing else happened. */
export const START = Date.UTC(2026, 0, 5);

/** What becomes of the messages that this region's devices publish to IoT Core. */
export interface MessageHandler {
  /** Told of each; `at` is the region's own time. */
  hear(topic: string, payload: Uint8Array, at: Instant): void;
  /**
   * Resolves when everything heard so far has had its effect. The clock does not come to stand before: what is handed
   * to a thread is done when somebody looks.
   */
  settled(): Promise<void>;
}

/** What happened on a device, on the region's own time. */
export type RegionEvent = HostedEvent & { readonly thingName: string; readonly at: Instant };

export interface RegionOptions {
  readonly region: string;
  readonly settings: RegionSettings;
  readonly devices: number;
  readonly seed: string;
  /** Real folder for unpacked artifacts; what is there is used again. */
  readonly artifactFolder: string;
  readonly platform: Platform;
  /** For what stands at the network's door, and for work that is real. */
  readonly wallClock: Clock;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly log: Log;
  readonly start?: Instant;
  /** Share of devices with a bad line; the reference load's where it is not given. */
  readonly faultyShare?: number;
  /** Of how many devices, the last ones, the instrument sends each point as it is measured; none usually. */
  readonly pointwiseDevices?: number;
  /** Told each line that the load has a component log. */
  readonly onLine?: ((line: LoadLine) => void) | undefined;
  /** One a device, where they differ; its length is `devices`. */
  readonly plan?: readonly PlannedDevice[];
  /** Which of the devices live here, where others live in another process: all are registered, chance is the same. */
  readonly part?: RegionPart | undefined;
  readonly load?: Partial<CurveLoad>;
  /** All are switched on within this. */
  readonly switchingOnMs?: number;
  /** Who sees what a device's components do. */
  readonly conductOf?: (thingName: string) => DeviceConduct;
  /** What stands in for AWS Lambda. Who does real work in them holds the clock meanwhile. */
  readonly functions?: CloudFunctions;
  readonly onMessage?: (cloud: Cloud<LocalIot>) => MessageHandler;
  readonly onEvent?: (event: RegionEvent) => void;
  /** Told each secret that a device is given. */
  readonly confided?: (secret: string) => void;
}

/** Every `of`th device from the one at `index`. */
export interface RegionPart {
  readonly index: number;
  readonly of: number;
}

interface Member {
  readonly device: HostedDevice;
  /** By instrument, the one that it began with first. */
  readonly ledgers: ReadonlyMap<string, CountingLedger>;
}

/** A whole region on one driven clock in this process: its cloud, and its hosted devices at the reference load. */
export class DrivenRegion {
  readonly clock: DrivenClock;
  readonly cloud: Cloud<LocalIot>;
  /** The cloud's own clock: that of the region, and ahead of it where it was made to jump. */
  readonly cloudClock: JumpingClock;
  readonly turn: Turn;
  readonly region: string;
  readonly models: SharedModels;
  readonly #members = new Map<string, Member>();
  /** Of all that are registered. */
  readonly #plan = new Map<string, PlannedDevice>();
  readonly #faultRandom: SeededRandom;
  readonly #settings: RegionSettings;
  readonly #closing: Closing;

  private constructor(
    parts: Pick<DrivenRegion, "clock" | "cloud" | "cloudClock" | "region" | "models">,
    settings: RegionSettings,
    random: SeededRandom,
    closing: Closing,
    settled: () => Promise<void>,
  ) {
    this.#settings = settings;
    this.clock = parts.clock;
    this.cloud = parts.cloud;
    this.cloudClock = parts.cloudClock;
    this.region = parts.region;
    this.models = parts.models;
    this.turn = new Turn(parts.clock, settled);
    this.#faultRandom = random.fork("asked-faults");
    this.#closing = closing;
  }

  /** Sets the cloud up and registers the devices, which come on within half a minute. The clock stands. */
  static async open(options: RegionOptions): Promise<DrivenRegion> {
    const { region, settings, seed, wallClock, onMessage } = options;
    const closing = new Closing();
    const clock = new DrivenClock(options.start ?? START, drainPromises());
    const random = new SeededRandom(`${region}/${seed}`);
    const store = memoryStore();
    const cloudRandom = random.fork("cloud");
    const iot = await openIotParts({ random: cloudRandom, wallClock });
    const place = { region, accountId: settings.accountId };
    const cloudClock = new JumpingClock(clock);
    const cloud = new Cloud({ ...options, place, clock: cloudClock, random: cloudRandom, store, iot });
    closing.add(cloud, () => cloud.stop());
    const handler = onMessage?.(cloud);
    cloud.events.on((event) => {
      if (event.kind === "mqtt-message") handler?.hear(event.topic, event.payload, event.at);
    });
    await setUpCloud(cloud, settings);
    const models = new SharedModels(modelsInThread(options.artifactFolder), clock, wallClock);
    const settled = (): Promise<void> => handler?.settled() ?? Promise.resolve();
    const made = new DrivenRegion(
      { clock, cloud, cloudClock, region, models },
      settings,
      random,
      closing,
      settled,
    );
    made.#join(options, random);
    made.#switchOn(random.fork("switching-on"), options.switchingOnMs ?? SWITCHING_ON_MS);
    made.#unsettleLines(random.fork("link-faults"), options.faultyShare);
    return made;
  }

  /** All that are registered, in order: with those that live in another process. */
  get things(): readonly string[] {
    return [...this.#plan.keys()];
  }

  /** Those that live here. */
  get devices(): readonly HostedDevice[] {
    return [...this.#members.values()].map(({ device }) => device);
  }

  device(thingName: string): HostedDevice | undefined {
    return this.#members.get(thingName)?.device;
  }

  /** A seeded share of the devices, another one at each call. */
  draw(share: number): readonly HostedDevice[] {
    return drawn(this.#faultRandom, this.devices, share);
  }

  /** Of its first instrument. */
  ledgerOf(thingName: string): CountingLedger | undefined {
    return this.#members.get(thingName)?.ledgers.values().next().value;
  }

  ledgersOf(thingName: string): ReadonlyMap<string, CountingLedger> {
    return this.#members.get(thingName)?.ledgers ?? new Map();
  }

  plannedOf(thingName: string): PlannedDevice {
    return this.#plan.get(thingName) ?? usualDevice;
  }

  /** Gives the device another certificate, and deactivates the one that it had. */
  rotateCertificate(thingName: string): void {
    const device = this.device(thingName);
    if (device === undefined) return;
    const old = device.certificateId;
    device.useCertificate(issuePrincipal(this.cloud, thingName, `${thingName}\n${old}`, this.#settings));
    this.cloud.iot.iot.certificates.setStatus(old, "INACTIVE");
  }

  /** Stops what runs. Devices are not told: their world ends. */
  close(): Promise<void> {
    return this.#closing.close();
  }

  #switchOn(random: SeededRandom, withinMs: number): void {
    for (const thing of this.things) {
      const atMs = random.next() * withinMs;
      const device = this.device(thing);
      if (device !== undefined) this.clock.timer(atMs, () => void device.start());
    }
  }

  /** Where a plan says whose lines are bad it has the last word. */
  #unsettleLines(random: SeededRandom, share: number | undefined): void {
    const lineOf = (thing: string) => this.device(thing)?.network;
    const plan = [...this.#plan];
    if (plan.every(([, { hasUnsteadyLine }]) => hasUnsteadyLine === undefined)) {
      linkFaults(this.clock, random, this.things, lineOf, share);
      return;
    }
    const unsteady = plan.flatMap(([thing, { hasUnsteadyLine }]) =>
      hasUnsteadyLine === true ? [thing] : [],
    );
    linkFaults(this.clock, random, unsteady, lineOf, 1);
  }

  #join(options: RegionOptions, random: SeededRandom): void {
    const { settings, region, platform, onEvent, part = { index: 0, of: 1 } } = options;
    const { clock, cloud, cloudClock } = this;
    const artifacts = new ArtifactCache(options.artifactFolder);
    const fibrinogen = recordedFibrinogen();
    const load = referenceLoad(clock, options.load, options.onLine);
    const pointwiseFrom = options.devices - (options.pointwiseDevices ?? 0);
    for (let index = 0; index < options.devices; index++) {
      const thingName = hostedThingName(settings, index);
      const planned = options.plan?.[index] ?? usualDevice;
      this.#plan.set(thingName, planned);
      const certificateId = joinDevice(cloud, thingName, settings, planned);
      if (index % part.of !== part.index) continue;
      const ledgers = new Map<string, CountingLedger>();
      const device = new HostedDevice({
        thingName,
        certificateId,
        roleAlias: settings.roleAlias.name,
        cloud,
        region,
        clock,
        random: random.fork(thingName),
        artifacts,
        models: this.models,
        platform,
        ledgerOf: (instrument) => {
          const ledger = new CountingLedger();
          ledgers.set(instrument, ledger);
          return ledger;
        },
        make: planned,
        cloudTime: () => cloudClock.now(),
        conduct: options.conductOf?.(thingName),
        fibrinogen,
        load: index < pointwiseFrom ? load : { ...load, transmit: "point" },
        confided: options.confided,
        heard: (event) => onEvent?.({ ...event, thingName, at: clock.now() }),
      });
      this.#members.set(thingName, { device, ledgers });
    }
  }
}
