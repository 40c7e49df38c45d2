import { componentNames, type Heartbeat } from "@coalmine/contract";
import type { Clock } from "@coalmine/ports";

/** What a scripted device needs of the cloud that it lives in. For tests. */
export interface FleetCloud {
  readonly clock: Clock;
  /** A message of the device, as the broker tells of it. */
  readonly publish: (topic: string, payload: object) => void;
  readonly execution: (jobId: string, thing: string) => { readonly status: string };
  readonly report: (
    jobId: string,
    thing: string,
    status: "IN_PROGRESS" | "SUCCEEDED" | "FAILED",
    details: Readonly<Record<string, string>>,
  ) => void;
  readonly documentOf: (jobId: string) => {
    readonly components: Readonly<Record<string, { version: string }>>;
  };
}

/** What versions do to a device: each is asked with the version of inference that it runs, and which device it is. */
export interface Behaviour {
  /** The deployment fails, and the device goes back by itself. */
  readonly refuses?: (version: string, thing: string) => boolean;
  /** No heartbeat any more, while it stays connected. */
  readonly silent?: (version: string, thing: string) => boolean;
  /** Of 4 windows a minute, how many fail. */
  readonly failed?: (version: string, thing: string) => number;
  /** While it installs what it was given it measures a sample, and says so. */
  readonly waits?: boolean;
}

const INSTALL_MS = 20_000;

/**
 * Core devices that do what they are told: take their deployments, say what they run, and send a heartbeat a minute.
 * Everything goes the ways that devices have: job executions, status messages, heartbeats.
 */
export class ScriptedDevice {
  readonly thing: string;
  readonly #cloud: FleetCloud;
  readonly #behaviour: Behaviour;
  #components: Readonly<Record<string, { version: string }>> = {};
  #startedMs: number;
  #sequence = 0;
  #statusSequence = 0;
  #minutes = 0;
  #failed = 0;

  constructor(thing: string, cloud: FleetCloud, behaviour: Behaviour) {
    this.thing = thing;
    this.#cloud = cloud;
    this.#behaviour = behaviour;
    this.#startedMs = cloud.clock.now();
    this.#sayStatus();
    this.#every(60_000, () => this.#beat());
  }

  get version(): string {
    return this.#components[componentNames.inference]?.version ?? "none";
  }

  /** Told of a job execution. */
  hear(jobId: string, status: string): void {
    if (status === "QUEUED") this.#cloud.clock.timer(INSTALL_MS, () => this.#begin(jobId));
  }

  #begin(jobId: string): void {
    // A newer revision may have taken its place meanwhile.
    if (this.#cloud.execution(jobId, this.thing).status !== "QUEUED") return;
    this.#cloud.report(jobId, this.thing, "IN_PROGRESS", {});
    if (this.#behaviour.waits === true) this.#beat({ sampleMs: 45_000, updateWaitsMs: 1000 });
    this.#cloud.clock.timer(INSTALL_MS, () => {
      const { components } = this.#cloud.documentOf(jobId);
      const version = components[componentNames.inference]?.version ?? "none";
      if (this.#behaviour.refuses?.(version, this.thing) === true) {
        const cause = "the new version broke";
        this.#cloud.report(jobId, this.thing, "FAILED", { "deployment-failure-cause": cause });
        return;
      }
      if (version !== this.version) {
        this.#startedMs = this.#cloud.clock.now();
        this.#minutes = 0;
        this.#failed = 0;
        this.#sequence = 0;
      }
      this.#components = components;
      this.#sayStatus();
      this.#cloud.report(jobId, this.thing, "SUCCEEDED", { "detailed-deployment-status": "SUCCESSFUL" });
    });
  }

  #beat(gauges: Readonly<Record<string, number>> = {}): void {
    this.#minutes++;
    if (this.#behaviour.silent?.(this.version, this.thing) === true || this.version === "none") return;
    this.#failed += this.#behaviour.failed?.(this.version, this.thing) ?? 0;
    const health = (component: string, counters: Record<string, number>) => ({
      version: 1 as const,
      component,
      componentVersion: this.version,
      startedMs: this.#startedMs,
      counters,
      gauges: {},
      sums: {},
      ageMs: 1000,
    });
    const heartbeat: Record<keyof Heartbeat, unknown> = {
      version: 1,
      thing: this.thing,
      sentMs: this.#cloud.clock.now(),
      sequence: this.#sequence++,
      components: [
        { ...health(componentNames.sensorReader, { readings: 4 * this.#minutes, gaps: 0 }), gauges },
        health(componentNames.inference, { windows: 4 * this.#minutes, failed: this.#failed }),
        health(componentNames.streamUploader, { heartbeats: this.#sequence }),
      ],
    };
    this.#cloud.publish(`coalmine/${this.thing}/heartbeat`, heartbeat);
  }

  #sayStatus(): void {
    this.#cloud.publish(`$aws/things/${this.thing}/greengrassv2/health/json`, {
      ggcVersion: "2.15.0",
      platform: "linux",
      architecture: "amd64",
      thing: this.thing,
      overallDeviceStatus: "HEALTHY",
      sequenceNumber: ++this.#statusSequence,
      timestamp: this.#cloud.clock.now(),
      messageType: "COMPLETE",
      trigger: "THING_GROUP_DEPLOYMENT",
      components: Object.entries(this.#components).map(([componentName, { version }]) => ({
        componentName,
        version,
        isRoot: true,
        status: "RUNNING",
      })),
    });
  }

  #every(ms: number, work: () => void): void {
    this.#cloud.clock.timer(ms, () => {
      work();
      this.#every(ms, work);
    });
  }
}

/** A policy that ends within hours; what is proved is the path, not the statistics. */
export const shortPolicy = `
version: 1
metrics:
  - { name: heartbeats, of: heartbeats, direction: up, autonomy: halt, minEffect: 1.5, margin: 2, negligible: 0.2, limit: { above: 0.5, exposureMin: 4 } }
  - name: readings per heartbeat
    of: { component: sensorReader, counter: readings, per: heartbeats }
    direction: down
    autonomy: halt
    minEffect: 1.1
    margin: 1.5
    negligible: 0.2
  - name: failed windows
    of: { component: inference, counter: failed, per: windows }
    direction: up
    autonomy: halt
    minEffect: 1.5
    margin: 2
    negligible: 0.1
    limit: { above: 0.2, exposureMin: 20 }
targets:
  home:
    judgedBy: limits
    metrics: [heartbeats, failed windows]
    canaryDevices: 1
    unjudgedDevicesMax: 1
    waves: [1]
    prePeriod: 0 s
    soak: 10 min
    horizon: 30 min
    lookEvery: 5 min
    pulseEvery: 3 min
    waveSoak: 2 min
    arrivedShareMin: 0.8
    guard: { toleratedRate: 0.01, eValueMin: 1000 }
    deadlines: { draw: 20 min, deploy: 25 min, approval: 7 d, hold: 7 d, decide: 7 d, wave: 1 h, verify: 1 h, rollback: 1 h }
  driven:
    judgedBy: comparison
    metrics: all
    canaryDevices: 3
    unjudgedDevicesMax: 3
    waves: [0.5, 1]
    prePeriod: 20 min
    soak: 40 min
    horizon: 90 min
    lookEvery: 10 min
    pulseEvery: 5 min
    waveSoak: 5 min
    arrivedShareMin: 0.8
    alpha: 0.05
    alphaPromote: 0.1
    draws: 199
    coverageMin: 0.8
    guard: { toleratedRate: 0.01, eValueMin: 1000 }
    deadlines: { draw: 20 min, deploy: 30 min, approval: 7 d, hold: 7 d, decide: 7 d, wave: 1 h, verify: 1 h, rollback: 1 h }
`;
