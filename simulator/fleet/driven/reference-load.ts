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

/** How often instruments measure, and when they begin. */
export type CurveLoad = Pick<DeviceLoad, "curvePeriodMs" | "controlEvery"> & {
  readonly firstCurveMs: number;
};

/** A component logs by itself only when something happens; the rest of its ten lines an hour come from here. */
export function referenceLoad(clock: DrivenClock, curves: Partial<CurveLoad> = {}): DeviceLoad {
  return {
    curvePeriodMs: CURVE_PERIOD_MS,
    controlEvery: CONTROL_EVERY,
    ...curves,
    started: ({ component, random, life, write }) => {
      let lines = 0;
      const next = (delayMs: number): void => {
        clock.timer(delayMs, () => {
          if (life.isOver) return;
          const timestamp = Math.round(clock.now());
          const message = "a line of the reference load";
          write(JSON.stringify({ timestamp, level: "INFO", source: component, message, line: ++lines }));
          next(LINE_EVERY_MS);
        });
      };
      next(random.next() * LINE_EVERY_MS);
    },
  };
}

export interface Cuttable {
  readonly thingName: string;
  readonly network: { cut(): () => void };
}

/** Cuts the lines of a seeded share of the devices now and then, for as long as the region lives. */
export function linkFaults(
  clock: DrivenClock,
  random: SeededRandom,
  devices: readonly Cuttable[],
  share = FAULTY_SHARE,
): { readonly faulty: readonly string[]; stop(): void } {
  const faulty = drawn(random.fork("devices"), devices, share);
  let stopped = false;
  for (const { thingName, network } of faulty) {
    const own = random.fork(thingName);
    const cutLater = (): void => {
      clock.timer(-Math.log(1 - own.next()) * CUT_EVERY_MS, () => {
        if (stopped) return;
        const mend = network.cut();
        clock.timer(CUT_MS.min + own.next() * (CUT_MS.max - CUT_MS.min), () => {
          mend();
          cutLater();
        });
      });
    };
    cutLater();
  }
  return { faulty: faulty.map(({ thingName }) => thingName), stop: () => (stopped = true) };
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
