import { SeededRandom } from "@coalmine/runtime";
import type { Device, Metric, Pair } from "./bundle.ts";
import type { FleetTraits } from "./fleets.ts";

interface FleetOptions {
  readonly traits: FleetTraits;
  readonly count: number;
  /** Of each kind of metric: `ratio` counts errors of messages, `mean` adds up milliseconds, `liveness` heartbeats. */
  readonly metrics: readonly Metric[];
  readonly seed: string;
  /** Hours since the assignment at which its life begins. */
  readonly fromHours: number;
  /** By how much the release multiplies a metric of a device at this time. */
  readonly effect: (device: number, metric: string, hours: number) => number;
}

/** Drift, shocks, the daily cycle and whether a device is on change in steps of this length. */
const BLOCK_HOURS = 0.5;
/** Drift and shocks forget in four hours. */
const MEMORY = Math.exp(-BLOCK_HOURS / 4);
const MEAN_MS = 40;
/** Standard deviation of one observation to its mean. */
const OBSERVATION_SPREAD = 0.5;

/** What one metric does to each device. */
interface Process {
  readonly metric: Metric;
  readonly lasting: Float64Array;
  readonly drift: Float64Array;
  shock: number;
  /** Errors of a message, or milliseconds of an observation, in the present block. */
  readonly level: Float64Array;
  /** Expected since counts were last drawn. */
  readonly expected: Float64Array;
  readonly total: Float64Array;
}

/** A fleet that lives through time, and counts. What it counts is drawn when it is asked for. */
export class SimulatedFleet {
  readonly devices: readonly Device[];
  readonly #options: FleetOptions;
  readonly #random: SeededRandom;
  readonly #processes: readonly Process[];
  readonly #load: Float64Array;
  readonly #isOn: Uint8Array;
  readonly #expectedMessages: Float64Array;
  readonly #messages: Float64Array;
  readonly #heard: Float64Array;
  /** By device. */
  readonly #silences: { readonly fromHours: number; readonly untilHours: number }[][];
  #heartbeats = 0;
  #hours: number;
  #spareNormal: number | undefined;

  constructor(options: FleetOptions) {
    const { traits, count, metrics } = options;
    this.#options = options;
    this.#hours = options.fromHours;
    this.#random = new SeededRandom(`${options.seed}/fleet`);
    const siteCount = Math.round(traits.site.share * count);
    this.devices = Array.from({ length: count }, (_, index) => ({
      thing: `device-${index}`,
      stratum: index < siteCount ? "site" : "all",
      cluster: `device-${index}`,
    }));
    const zeros = () => new Float64Array(count);
    this.#silences = Array.from({ length: count }, () => []);
    this.#expectedMessages = zeros();
    this.#messages = zeros();
    this.#heard = zeros();
    const { onHoursMean, offHoursMean, deviceSd, driftSd, shockSd } = traits;
    this.#load = zeros().map(() => traits.messagesPerHour * Math.exp(0.5 * this.#normal() - 0.125));
    this.#isOn = new Uint8Array(count).map(() =>
      this.#random.next() < onHoursMean / (onHoursMean + offHoursMean) ? 1 : 0,
    );
    // Metrics of a device have half of what sets it apart in common.
    const common = zeros().map(() => this.#normal());
    // The mean of a log-normal is above its median: corrected, so that the fleet's level is the one asked for.
    const bias = (deviceSd ** 2 + driftSd ** 2 + shockSd ** 2) / 2;
    this.#processes = metrics
      .filter(({ kind }) => kind !== "liveness")
      .map((metric, index) => ({
        metric,
        lasting: common.map(
          (one) => deviceSd * (index === 0 ? one : Math.SQRT1_2 * (one + this.#normal())) - bias,
        ),
        drift: zeros().map(() => driftSd * this.#normal()),
        shock: shockSd * this.#normal(),
        level: zeros(),
        expected: zeros(),
        total: zeros(),
      }));
    for (let device = 0; device < count; device++)
      if (this.#random.next() < traits.silentDayShare) {
        const fromHours = 48 * this.#random.next() - 24;
        this.silence(device, fromHours, fromHours + 24);
      }
    const outage = 24 * this.#random.next();
    for (let device = 0; device < siteCount; device++)
      this.silence(device, outage, outage + traits.site.outageHours);
  }

  isOn(device: number): boolean {
    return this.#isOn[device] === 1 && !this.#isSilenced(device);
  }

  /** Nothing comes from the device between these hours, whether it is on or not. */
  silence(device: number, fromHours: number, untilHours = Infinity): void {
    this.#silences[device]?.push({ fromHours, untilHours });
  }

  liveUntil(hours: number): void {
    while (this.#hours < hours - 1e-9) {
      // Of a block that a look divides, the second part begins in the middle.
      const block = Math.floor(this.#hours / BLOCK_HOURS + 1e-9);
      if (Math.abs(block * BLOCK_HOURS - this.#hours) < 1e-9) this.#beginBlock();
      const until = Math.min(hours, (block + 1) * BLOCK_HOURS);
      this.#count(until - this.#hours);
      this.#hours = until;
    }
  }

  /** What was counted since it last forgot, as a bundle has it; made when it is asked for, since most looks never are. */
  pairs(): () => Record<string, Pair[]> {
    const { metrics } = this.#options;
    this.#drawCounts();
    const totals = this.#processes.map(({ metric, total }) => ({ name: metric.name, total: total.slice() }));
    const messages = this.#messages.slice();
    const heard = this.#heard.slice();
    const heartbeats = this.#heartbeats;
    let out: Record<string, Pair[]> | undefined;
    return () => {
      if (out !== undefined) return out;
      out = {};
      for (const { name, total } of totals)
        out[name] = Array.from(total, (value, device) => [value, messages[device] ?? 0]);
      for (const { name, kind } of metrics)
        if (kind === "liveness") out[name] = Array.from(heard, (one) => [one, heartbeats]);
      return out;
    };
  }

  /** Begins to count anew. */
  forget(): void {
    for (const { total, expected } of this.#processes) {
      total.fill(0);
      expected.fill(0);
    }
    for (const counts of [this.#messages, this.#expectedMessages, this.#heard]) counts.fill(0);
    this.#heartbeats = 0;
  }

  #beginBlock(): void {
    const { traits, effect } = this.#options;
    const stay = (hours: number) => 1 - BLOCK_HOURS / hours;
    for (let device = 0; device < this.#isOn.length; device++) {
      const on = this.#isOn[device] === 1;
      const chance = on ? stay(traits.onHoursMean) : 1 - stay(traits.offHoursMean);
      this.#isOn[device] = this.#random.next() < chance ? 1 : 0;
    }
    const day = traits.dailyAmplitude * Math.sin((2 * Math.PI * this.#hours) / 24);
    const step = this.#hours < 0 ? 0 : traits.stepAtAssignment;
    const news = Math.sqrt(1 - MEMORY * MEMORY);
    for (const process of this.#processes) {
      const { metric, lasting, drift, level } = process;
      process.shock = MEMORY * process.shock + news * traits.shockSd * this.#normal();
      const shared = process.shock + day + step;
      const base = metric.kind === "ratio" ? traits.errorRate : MEAN_MS;
      for (let device = 0; device < level.length; device++) {
        drift[device] = MEMORY * (drift[device] ?? 0) + news * traits.driftSd * this.#normal();
        const own = Math.exp((lasting[device] ?? 0) + (drift[device] ?? 0) + shared);
        level[device] = base * own * effect(device, metric.name, this.#hours);
      }
    }
  }

  #count(hours: number): void {
    // A heartbeat a minute.
    this.#heartbeats += 60 * hours;
    for (let device = 0; device < this.#isOn.length; device++) {
      if (!this.isOn(device)) continue;
      this.#heard[device] = (this.#heard[device] ?? 0) + 60 * hours;
      const messages = hours * (this.#load[device] ?? 0);
      this.#expectedMessages[device] = (this.#expectedMessages[device] ?? 0) + messages;
      for (const { expected, level } of this.#processes)
        expected[device] = (expected[device] ?? 0) + messages * (level[device] ?? 0);
    }
  }

  #drawCounts(): void {
    const messages = this.#expectedMessages.map((mean) => this.#poisson(mean));
    for (const { metric, expected, total } of this.#processes)
      for (let device = 0; device < total.length; device++) {
        const mean = expected[device] ?? 0;
        if (mean === 0) continue;
        const n = messages[device] ?? 0;
        const added = metric.kind === "ratio" ? this.#poisson(mean) : this.#sumOf(n, mean, device);
        total[device] = (total[device] ?? 0) + added;
        expected[device] = 0;
      }
    for (let device = 0; device < messages.length; device++)
      this.#messages[device] = (this.#messages[device] ?? 0) + (messages[device] ?? 0);
    this.#expectedMessages.fill(0);
  }

  /** Of so many observations, where `mean` was expected of all that were expected. */
  #sumOf(n: number, mean: number, device: number): number {
    if (n === 0) return 0;
    const spread = 1 + (OBSERVATION_SPREAD * this.#normal()) / Math.sqrt(n);
    return (n * mean * spread) / (this.#expectedMessages[device] ?? 1);
  }

  #isSilenced(device: number): boolean {
    const now = this.#hours + 1e-9;
    return this.#silences[device]?.some((one) => now >= one.fromHours && now < one.untilHours) === true;
  }

  /** Box and Muller's pair, both used. */
  #normal(): number {
    const spare = this.#spareNormal;
    this.#spareNormal = undefined;
    if (spare !== undefined) return spare;
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random.next()));
    const angle = 2 * Math.PI * this.#random.next();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  #poisson(mean: number): number {
    if (mean > 15) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()));
    const limit = Math.exp(-mean);
    let product = this.#random.next();
    let count = 0;
    while (product > limit) {
      product *= this.#random.next();
      count++;
    }
    return count;
  }
}
