import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import type { System } from "../system/system.ts";
import { balance, downloadLake, type Balance, type Sent } from "./lake.ts";
import type { Change } from "../../simulator/fleet/mutants/change.ts";

const HOUR_MS = 3_600_000;
/** The home fleet uploads every few seconds; a slow machine gets some more. */
const HOME_WAIT_MS_MAX = 60_000;
const HOME_LOOK_MS = 2000;
/** Hourly uploads, and links that are cut for a while: after this long everything has had its chance twice. */
const DRIVEN_WAIT_MS = 4 * HOUR_MS;

/** Readings between every instrument and the lakes, of both fleets, each instrument asked what it sent. */
export async function balanceOfAll(
  system: System,
  folder: string,
  clock: Clock,
  drops?: Change["drops"],
): Promise<{ home: Balance; driven: Balance }> {
  const [home, driven] = await Promise.all([
    balanceAtHome(system, join(folder, "home"), clock, drops),
    balanceOfDriven(system, join(folder, "driven"), drops),
  ]);
  return { home, driven };
}

/** The instruments end when all that they measured is acknowledged; it arrives within the uploader's few seconds. */
async function balanceAtHome(
  system: System,
  folder: string,
  clock: Clock,
  drops: Change["drops"],
): Promise<Balance> {
  const [{ s3, target }] = system.regions;
  await system.fleet.instruments.stop();
  const sent = rangesOf(await system.fleet.sentReadings());
  const deadline = clock.monotonicMs() + HOME_WAIT_MS_MAX;
  for (;;) {
    const found = await balance(folder, await downloadLake(s3, target.lakeBucket, folder), sent, drops);
    if (found.lost === found.dropped || clock.monotonicMs() > deadline) return found;
    await clock.sleep(HOME_LOOK_MS);
  }
}

/** What was measured until now, after the region has lived on long enough to bring it all. */
async function balanceOfDriven(
  { driven, regions }: System,
  folder: string,
  drops: Change["drops"],
): Promise<Balance> {
  const [, region] = regions;
  if (region === undefined) throw new Error("there is no driven region");
  const { now } = await driven.oracle();
  const { instruments } = await driven.oracle(now);
  await driven.control("run-until", { time: now + DRIVEN_WAIT_MS });
  const sent = instruments.flatMap(({ instrument, boots }) =>
    boots.flatMap(({ boot, readings, channels }): Sent[] =>
      readings === 0 ? [] : [{ instrument, boot, from: 0, to: readings - 1, channels }],
    ),
  );
  return balance(folder, await downloadLake(region.s3, region.target.lakeBucket, folder), sent, drops);
}

/** Sequences of one start have no holes: first and last name them all. */
function rangesOf(
  readings: ReadonlyMap<
    string,
    readonly { readonly boot: number; readonly sequence: number; readonly channels: number }[]
  >,
): Sent[] {
  return [...readings].flatMap(([instrument, list]) =>
    [...Map.groupBy(list, ({ boot }) => boot)].map(([boot, of]): Sent => {
      const sequences = of.map(({ sequence }) => sequence);
      return {
        instrument,
        boot,
        from: Math.min(...sequences),
        to: Math.max(...sequences),
        channels: of[0]?.channels ?? 0,
      };
    }),
  );
}

export function sum(a: Balance, b: Balance): Balance {
  return {
    sent: a.sent + b.sent,
    rows: a.rows + b.rows,
    lost: a.lost + b.lost,
    doubled: a.doubled + b.doubled,
    dropped: a.dropped + b.dropped,
    examples: [...a.examples, ...b.examples],
  };
}
