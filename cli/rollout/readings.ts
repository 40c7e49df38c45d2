import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import type { System } from "../system/system.ts";
import { balance, downloadLake, type Balance, type Sent } from "./lake.ts";

const HOUR_MS = 3_600_000;
/** The home fleet uploads every few seconds; a slow machine gets some more. */
const HOME_WAIT_MS_MAX = 60_000;
/** Hourly uploads, and links that are cut for a while: after this long everything has had its chance twice. */
const DRIVEN_WAIT_MS = 4 * HOUR_MS;

/** Readings between every instrument and the lakes, of both fleets, each instrument asked what it sent. */
export async function balanceOfAll(
  system: System,
  folder: string,
  clock: Clock,
): Promise<{ home: Balance; driven: Balance }> {
  const [home, driven] = system.regions;
  if (driven === undefined) throw new Error("there is no driven region");
  await system.fleet.instruments.stop();
  const sentAtHome = rangesOf(await system.fleet.sentReadings());
  const deadline = clock.monotonicMs() + HOME_WAIT_MS_MAX;
  let atHome: Balance;
  for (;;) {
    const objects = await downloadLake(home.s3, home.target.lakeBucket, join(folder, "home"));
    atHome = await balance(join(folder, "home"), objects, sentAtHome);
    if (atHome.lost === 0 || clock.monotonicMs() > deadline) break;
    await clock.sleep(2000);
  }
  const { now } = await system.driven.oracle();
  const { instruments } = await system.driven.oracle(now);
  await system.driven.control("run-until", { time: now + DRIVEN_WAIT_MS });
  const sent = instruments.flatMap(({ instrument, boots }) =>
    boots.flatMap(({ boot, readings, channels }): Sent[] =>
      readings === 0 ? [] : [{ instrument, boot, from: 0, to: readings - 1, channels }],
    ),
  );
  const objects = await downloadLake(driven.s3, driven.target.lakeBucket, join(folder, "driven"));
  return { home: atHome, driven: await balance(join(folder, "driven"), objects, sent) };
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
  };
}
