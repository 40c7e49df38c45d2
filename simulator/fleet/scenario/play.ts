import type { Check } from "../evidence/checks.ts";
import { lakeFindings } from "../evidence/lake.ts";
import { logFindings } from "../evidence/secrets.ts";
import { liveHeapBytes } from "../evidence/usage-witness.ts";
import type { RegionPart } from "../driven/region.ts";
import { openWitnessed, type WitnessedRegion } from "../evidence/witnessed-region.ts";
import { usualNames } from "../driven/usual-settings.ts";
import { invariantChecks, type Observed } from "../invariants/invariants.ts";
import { publishRelease } from "../release/publish.ts";
import type { Release } from "../release/release-folder.ts";
import { deployStep, type Deployed } from "./deploy-step.ts";
import { logOf } from "./event-log.ts";
import { fleetPlan, placedFleet } from "./fleet.ts";
import { happeningsOf, schedule, written, type WrittenFault } from "./happenings.ts";
import type { Scenario } from "./scenario.ts";
import { toldMs } from "./units.ts";

export interface PlayOptions {
  readonly seed: string;
  readonly devices: number;
  /** Which of the devices are played, where others are in another process. */
  readonly part?: RegionPart | undefined;
  /** For unpacked artifacts; what is there is used again. */
  readonly artifactFolder: string;
  readonly running: Release;
  /** What an upgrade is to. */
  readonly candidate: Release;
  readonly progress: (sentence: string) => void;
  /** Told now and then where the clock stands, counted from the beginning. */
  readonly stands?: (atMs: number) => void;
  /** Shown the region before anything happens in it. */
  readonly watch?: (of: WitnessedRegion) => void;
}

/** A scenario that has come to its end, as far as expectations ask. */
export interface Played extends Observed {
  readonly scenario: Scenario;
  readonly running: Release;
  readonly candidate: Release;
  readonly deployed: readonly Deployed[];
}

export interface PlayedOut {
  readonly checks: readonly Check[];
  readonly passed: boolean;
  readonly log: readonly string[];
  /** Every fault with its time and things, as `--faults` takes it. */
  readonly faults: readonly WrittenFault[];
}

const HEAP_LOOKS = 4;

/** Plays a scenario to its end, waits until what was measured has arrived, and gives what must hold. */
export async function play(scenario: Scenario, options: PlayOptions): Promise<PlayedOut> {
  const { seed, devices, running, candidate } = options;
  const plan = fleetPlan(scenario, devices);
  const { load, fleet } = scenario;
  const witnessed = await openWitnessed({
    devices,
    seed,
    part: options.part,
    artifactFolder: options.artifactFolder,
    plan,
    load: {
      curvePeriodMs: load.curveEvery,
      controlEvery: load.controlEvery,
      firstCurveMs: load.firstCurveAfter,
    },
    switchingOnMs: fleet.joinWithin,
  });
  const { region } = witnessed;
  options.watch?.(witnessed);
  try {
    const happenings = happeningsOf(scenario.faults, seed, placedFleet(region));
    const isUpgraded = scenario.releases.some((step) => "release" in step && step.release === "candidate");
    for (const release of isUpgraded ? [running, candidate] : [running])
      await publishRelease(region, release, usualNames.artifactBucket);
    const course = new Course(witnessed, options);
    const faultsCheck = schedule(region, happenings, seed);
    const deployed = await course.run(scenario);
    const observed: Played = {
      ...witnessed,
      scenario,
      running,
      candidate,
      deployed,
      beganMs: course.beganMs,
      releases: [running, candidate],
      lake: await lakeFindings(region, usualNames.lakeBucket),
      logs: await logFindings(region, witnessed.secrets),
      mayBreak: scenario.mayBreak,
      heap: course.heap,
    };
    const expected: Check[] = [];
    for (const { check } of scenario.expect) expected.push(await check(observed));
    const checks = [
      ...(await invariantChecks(observed)),
      ...(happenings.length === 0 ? [] : [faultsCheck()]),
      ...expected,
    ];
    return {
      checks,
      passed: checks.every(({ ok }) => ok),
      log: logOf(witnessed.events),
      faults: written(happenings),
    };
  } finally {
    await region.close();
  }
}

/** The clock of one run, from its beginning to where everything has settled. */
class Course {
  readonly beganMs: number;
  readonly heap: { readonly atMs: number; readonly bytes: number }[] = [];
  readonly #witnessed: WitnessedRegion;
  readonly #options: PlayOptions;

  constructor(witnessed: WitnessedRegion, options: PlayOptions) {
    this.#witnessed = witnessed;
    this.#options = options;
    this.beganMs = witnessed.region.clock.now();
  }

  async run(scenario: Scenario): Promise<readonly Deployed[]> {
    const { region } = this.#witnessed;
    const { progress } = this.#options;
    this.#tellWhereItStands(scenario);
    const deployed: Deployed[] = [];
    let current = this.#options.running;
    for (const step of scenario.releases) {
      await region.turn.run(this.beganMs + step.at);
      if ("release" in step)
        current = step.release === "running" ? this.#options.running : this.#options.candidate;
      const done = await deployStep(this.#witnessed, step, current);
      deployed.push(done);
      progress(`at ${toldMs(region.clock.now() - this.beganMs)}: ${done.told}`);
    }
    await this.#untilEnd(scenario);
    for (const { bench } of region.devices) bench.rest();
    await region.turn.run(Math.max(region.clock.now(), this.beganMs + scenario.lasts) + scenario.settles);
    this.#lookAtHeap();
    return deployed;
  }

  async #untilEnd({ lasts }: Scenario): Promise<void> {
    const { region } = this.#witnessed;
    const from = region.clock.now();
    const left = this.beganMs + lasts - from;
    for (let look = 1; look <= HEAP_LOOKS && left > 0; look++) {
      await region.turn.run(from + (left * look) / HEAP_LOOKS);
      if (look < HEAP_LOOKS) this.#lookAtHeap();
    }
  }

  #lookAtHeap(): void {
    this.heap.push({ atMs: this.#witnessed.region.clock.now(), bytes: liveHeapBytes() });
  }

  /** A hundred times in the run, so that whoever watches knows at what it is. */
  #tellWhereItStands({ lasts, settles }: Scenario): void {
    const { clock } = this.#witnessed.region;
    const { stands } = this.#options;
    if (stands === undefined) return;
    const every = (lasts + settles) / 100;
    const tell = (): void => {
      stands(clock.now() - this.beganMs);
      clock.timer(every, tell);
    };
    tell();
  }
}
