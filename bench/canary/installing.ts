import type { SeededRandom } from "@coalmine/runtime";
import type { Look } from "../../pipeline/judge/bundle.ts";
import type { SimulatedFleet } from "../../pipeline/judge/simulated-fleet.ts";
import type { Harm } from "./scenarios.ts";

/** Silence shows after three heartbeats that were due every five minutes. */
const SILENT_AFTER_HOURS = 0.25;
const CRASH_AFTER_HOURS = 0.5;
/** What goes wrong with any release, and with none: one installation in a hundred, one crash loop in 200 device-days. */
const INSTALL_FAILS = 0.01;
const CRASHES_A_DAY = 0.005;
const CRASH_LOOP_HOURS = 1;
const DAY_HOURS = 24;

export interface Install {
  readonly thing: string;
  readonly atHours: number;
  /** `silent`: the device began and was not heard again. */
  readonly outcome: "succeeded" | "failed" | "silent";
}

type Failing = Look["failing"][number];

/** Canaries that install a release as soon as they are on, and devices that fail, by it or by themselves. */
export class Installing {
  /** In the order in which they began. */
  readonly installs: Install[] = [];
  readonly #fleet: SimulatedFleet;
  readonly #harm: Harm;
  readonly #random: SeededRandom;
  readonly #waiting: Set<number>;
  readonly #installedAt = new Map<number, number>();
  readonly #failures: (Failing & { readonly fromHours: number; readonly untilHours: number })[] = [];

  constructor(fleet: SimulatedFleet, canaries: readonly number[], harm: Harm, random: SeededRandom) {
    this.#fleet = fleet;
    this.#harm = harm;
    this.#random = random;
    this.#waiting = new Set(canaries);
    for (let device = 0; device < fleet.devices.length; device++) {
      const fromHours = DAY_HOURS * random.next();
      if (random.next() < CRASHES_A_DAY) this.#crash(device, fromHours, fromHours + CRASH_LOOP_HOURS);
    }
  }

  /** How long a device has run the release by then; undefined where it does not. */
  hoursOn(device: number, hours: number): number | undefined {
    const at = this.#installedAt.get(device);
    return at === undefined ? undefined : hours - at;
  }

  failingAt(hours: number): Failing[] {
    return this.#failures
      .filter(({ fromHours, untilHours }) => fromHours <= hours + 1e-9 && hours < untilHours)
      .map(({ thing, how }) => ({ thing, how }));
  }

  /** Those that wait and are on begin, and what becomes of it is drawn. */
  begin(hours: number): void {
    for (const device of this.#waiting) {
      if (!this.#fleet.isOn(device)) continue;
      this.#waiting.delete(device);
      const [fails, bricks, crashes] = [this.#random.next(), this.#random.next(), this.#random.next()];
      const failed = fails < INSTALL_FAILS + (this.#harm.failedInstalls ?? 0);
      const silent = !failed && bricks < (this.#harm.bricks ?? 0);
      const outcome = failed ? "failed" : silent ? "silent" : "succeeded";
      this.installs.push({ thing: this.#thing(device), atHours: hours, outcome });
      if (failed) this.#fail(device, "unhealthy", hours, Infinity);
      else this.#installedAt.set(device, hours);
      if (silent) {
        this.#fleet.silence(device, hours);
        this.#fail(device, "silent", hours + SILENT_AFTER_HOURS, Infinity);
      } else if (!failed && crashes < (this.#harm.crashLoops ?? 0))
        this.#crash(device, hours + CRASH_AFTER_HOURS, Infinity);
    }
  }

  #crash(device: number, fromHours: number, untilHours: number): void {
    this.#fleet.silence(device, fromHours, untilHours);
    this.#fail(device, "crashLoop", fromHours, untilHours);
  }

  #fail(device: number, how: Failing["how"], fromHours: number, untilHours: number): void {
    this.#failures.push({ thing: this.#thing(device), how, fromHours, untilHours });
  }

  #thing(device: number): string {
    return this.#fleet.devices[device]?.thing ?? "";
  }
}
