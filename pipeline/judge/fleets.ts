import { SeededRandom } from "@coalmine/runtime";
import { draw } from "./draw.ts";
import type { Bundle, JudgePolicy, Look, Metric, Pair } from "./bundle.ts";
import type { FleetHistory } from "./plan.ts";

/**
 * Simulated fleets to try the judge on: device noise that lasts, drift, shocks shared by all, a daily cycle, silence.
 * Nothing in them is independent from minute to minute, as nothing in a real fleet is.
 */
export interface FleetTraits {
  readonly errorRate: number;
  /** Standard deviations of the logarithm of a device's error rate: lasting, drifting, and shared by all. */
  readonly deviceSd: number;
  readonly driftSd: number;
  readonly shockSd: number;
  readonly dailyAmplitude: number;
  /** Mean messages of a device in a tick of five minutes. */
  readonly messagesPerTick: number;
  readonly onHoursMean: number;
  readonly offHoursMean: number;
}

/** The reference fleet: 2 % errors, devices that differ by half an e-fold, 9 % of the time silent. */
export const referenceFleet: FleetTraits = {
  errorRate: 0.02,
  deviceSd: 0.5,
  driftSd: 0.3,
  shockSd: 0.2,
  dailyAmplitude: 0.3,
  messagesPerTick: 30,
  onHoursMean: 20,
  offHoursMean: 2,
};

export interface Trial {
  readonly traits: FleetTraits;
  readonly seed: string;
  readonly canary: number;
  readonly baseline: number;
  /** What the release does to the error rate of the canary. */
  readonly errorRatio: number;
  readonly looks: number;
  readonly metrics: readonly Metric[];
  readonly policy: JudgePolicy;
  /** Devices that go silent for good at this time after the assignment. */
  readonly bricked?: { readonly canary: number; readonly atMs: number };
  /** Everybody of this share of both arms is out for the whole time after the assignment. */
  readonly outageShare?: number;
}

const TICK_MS = 300_000;
export const TICKS_PER_DAY = 288;

/** A day before and a day after an assignment, as the bundle that the judge would get at its last look. */
export function trial(options: Trial): Bundle {
  const { traits, canary, baseline, looks } = options;
  const count = canary + baseline;
  const devices = Array.from({ length: count }, (_, index) => ({
    thing: `device-${index}`,
    stratum: "all",
    cluster: `device-${index}`,
  }));
  const drawn = draw(devices, canary, options.seed);
  const isCanary = new Set(drawn.canary);
  const random = new SeededRandom(`${options.seed}/fleet`);
  const fleet = devices.map(({ thing }, index) => deviceOf(traits, random, isCanary.has(thing), index));
  for (const device of fleet.filter((one) => one.canary).slice(0, options.bricked?.canary ?? 0))
    device.bricksAtTick = TICKS_PER_DAY + Math.ceil((options.bricked?.atMs ?? 0) / TICK_MS);
  for (const device of fleet) device.out = random.next() < (options.outageShare ?? 0);
  let shock = random.normal() * traits.shockSd;
  let before: Record<string, Pair[]> = {};
  const out: Look[] = [];
  for (let tick = 0; tick < 2 * TICKS_PER_DAY; tick++) {
    if (tick === TICKS_PER_DAY) {
      before = snapshot(fleet);
      for (const device of fleet) device.reset();
    }
    shock = correlated(shock, traits.shockSd, random);
    const day = traits.dailyAmplitude * Math.sin((2 * Math.PI * tick) / TICKS_PER_DAY);
    for (const device of fleet) device.tick(tick, shock + day, options.errorRatio, random);
    const done = tick - TICKS_PER_DAY + 1;
    if (done > 0 && Math.floor((done * looks) / TICKS_PER_DAY) > out.length)
      out.push({
        elapsedMs: done * TICK_MS,
        values: snapshot(fleet),
        updated: [...drawn.canary],
        failing: fleet
          .filter((device) => device.bricksAtTick + 3 <= tick)
          .map((device) => ({ thing: `device-${device.index}`, how: "silent" as const })),
      });
  }
  return {
    version: 1,
    rollout: "trial",
    target: "simulated",
    devices,
    draw: { how: "drawn", seed: options.seed, canary: [...drawn.canary] },
    metrics: [...options.metrics],
    policy: options.policy,
    before,
    looks: out,
  };
}

/** Hours of an undisturbed fleet, as the plan reads them. */
export function quietHours(traits: FleetTraits, count: number, hours: number, seed: string): FleetHistory {
  const random = new SeededRandom(`${seed}/history`);
  const fleet = Array.from({ length: count }, (_, index) => deviceOf(traits, random, false, index));
  const metrics: Record<string, Pair[][]> = {};
  let shock = random.normal() * traits.shockSd;
  for (let tick = 0; tick < hours * 12; tick++) {
    shock = correlated(shock, traits.shockSd, random);
    const day = traits.dailyAmplitude * Math.sin((2 * Math.PI * tick) / TICKS_PER_DAY);
    for (const device of fleet) device.tick(tick, shock + day, 1, random);
    if (tick % 12 !== 11) continue;
    for (const [name, pairs] of Object.entries(snapshot(fleet))) {
      metrics[name] ??= pairs.map(() => []);
      for (const [index, pair] of pairs.entries()) metrics[name][index]?.push(pair);
    }
    for (const device of fleet) device.reset();
  }
  return {
    devices: fleet.map(({ index }) => ({
      thing: `device-${index}`,
      stratum: "all",
      cluster: `device-${index}`,
    })),
    bucketMs: 12 * TICK_MS,
    metrics,
  };
}

type SimulatedDevice = ReturnType<typeof deviceOf>;

function deviceOf(traits: FleetTraits, random: SeededRandom, canary: boolean, index: number) {
  const { deviceSd, driftSd, shockSd, errorRate, onHoursMean, offHoursMean } = traits;
  // The mean of a log-normal is above its median: corrected, so that the fleet's rate is the one asked for.
  const lasting = deviceSd * random.normal() - (deviceSd ** 2 + driftSd ** 2 + shockSd ** 2) / 2;
  const messages = traits.messagesPerTick * Math.exp(0.5 * random.normal() - 0.125);
  let drift = driftSd * random.normal();
  let on = random.next() < onHoursMean / (onHoursMean + offHoursMean);
  return {
    index,
    canary,
    bricksAtTick: Infinity,
    out: false,
    errors: 0,
    sent: 0,
    heard: 0,
    expected: 0,
    reset() {
      this.errors = this.sent = this.heard = this.expected = 0;
    },
    tick(tick: number, shared: number, errorRatio: number, random: SeededRandom) {
      drift = correlated(drift, driftSd, random);
      const stay = (hours: number) => 1 - 1 / (hours * 12);
      on = random.next() < (on ? stay(onHoursMean) : 1 - stay(offHoursMean));
      this.expected++;
      if (!on || tick >= this.bricksAtTick || (this.out && tick >= TICKS_PER_DAY)) return;
      this.heard++;
      const sent = poisson(messages, random);
      const rate = errorRate * Math.exp(lasting + drift + shared);
      this.sent += sent;
      this.errors += Math.min(
        sent,
        poisson(sent * rate * (this.canary && tick >= TICKS_PER_DAY ? errorRatio : 1), random),
      );
    },
  };
}

function snapshot(fleet: readonly SimulatedDevice[]): Record<string, Pair[]> {
  return {
    errors: fleet.map(({ errors, sent }) => [errors, sent]),
    heartbeats: fleet.map(({ heard, expected }) => [heard, expected]),
  };
}

/** One tick of a process whose memory is four hours. */
function correlated(value: number, sd: number, random: SeededRandom): number {
  const memory = Math.exp(-1 / 48);
  return memory * value + sd * Math.sqrt(1 - memory * memory) * random.normal();
}

function poisson(mean: number, random: SeededRandom): number {
  if (mean > 15) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const limit = Math.exp(-mean);
  let product = random.next();
  let count = 0;
  while (product > limit) {
    product *= random.next();
    count++;
  }
  return count;
}
