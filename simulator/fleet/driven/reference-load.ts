import type { DrivenClock } from "@coalmine/runtime";
import { SeededRandom } from "@coalmine/runtime";
import type { DeviceLoad } from "../hosted/hosted-device.ts";

/**
 * The reference load, wherever a figure of a fleet is stated: one flow curve of 20 points every 5 min with one
 * inference, one heartbeat a minute and hourly Parquet (the components' own defaults), 10 log lines an hour and
 * component, link faults on 5 % of devices.
 */
const CURVE_PERIOD_MS = 300_000;
const CONTROL_EVERY = 12;
const LINE_EVERY_MS = 360_000;
export const FAULTY_SHARE = 0.05;
/** A device with a bad line loses it about so often, for so long. */
const CUT_EVERY_MS = 4 * 3_600_000;
const CUT_MS = { min: 30_000, max: 45 * 60_000 };

/** A line of a log that has to reach the cloud, as it is known there. */
export interface LoadLine {
  readonly thing: string;
  readonly source: string;
  readonly timestamp: number;
  readonly line: number;
}

/** As text of a log; `message` holds what is not ASCII, as real lines do. */
export function lineText(of: LoadLine, message = "a line of the reference load, at 37 °C"): string {
  return JSON.stringify({ ...of, level: "INFO", message });
}

/** How often instruments measure, and when they begin. */
export type CurveLoad = Pick<DeviceLoad, "curvePeriodMs" | "controlEvery"> & {
  readonly firstCurveMs: number;
};

/** A component logs by itself only when something happens; the rest of its ten lines an hour come from here. */
export function referenceLoad(
  clock: DrivenClock,
  curves: Partial<CurveLoad> = {},
  wrote: (line: LoadLine) => void = () => undefined,
): DeviceLoad {
  return {
    curvePeriodMs: CURVE_PERIOD_MS,
    controlEvery: CONTROL_EVERY,
    ...curves,
    started: ({ thingName, component, random, life, write }) => {
      let lines = 0;
      const next = (delayMs: number): void => {
        clock.timer(delayMs, () => {
          if (life.isOver) return;
          const timestamp = Math.round(clock.now());
          const line = { thing: thingName, source: component, timestamp, line: ++lines };
          wrote(line);
          write(lineText(line));
          next(LINE_EVERY_MS);
        });
      };
      next(random.next() * LINE_EVERY_MS);
    },
  };
}

/** Cuts the lines of a seeded share of the things now and then. Of one that is not here `lineOf` gives nothing. */
export function linkFaults(
  clock: DrivenClock,
  random: SeededRandom,
  things: readonly string[],
  lineOf: (thing: string) => { cut(): () => void } | undefined,
  share = FAULTY_SHARE,
): void {
  for (const thing of drawn(random.fork("devices"), things, share)) {
    const line = lineOf(thing);
    if (line === undefined) continue;
    const own = random.fork(thing);
    const cutLater = (): void => {
      clock.timer(-Math.log(1 - own.next()) * CUT_EVERY_MS, () => {
        const mend = line.cut();
        clock.timer(CUT_MS.min + own.next() * (CUT_MS.max - CUT_MS.min), () => {
          mend();
          cutLater();
        });
      });
    };
    cutLater();
  }
}

/** A share of the devices by chance, at least one where the share is not 0. */
export function drawn<Device>(
  random: SeededRandom,
  devices: readonly Device[],
  share: number,
): readonly Device[] {
  const left = [...devices];
  const count = Math.min(left.length, Math.ceil(left.length * share));
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)).flat();
}
