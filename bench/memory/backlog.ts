import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteBucketCommand, DeleteObjectsCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { systemClock } from "@coalmine/runtime/system-clock";
import { places } from "../../cli/system/state.ts";
import type { System } from "../../cli/system/system.ts";

/** Long enough for whatever grows with the backlog to show. */
const PILE_MS = 120_000;
const LOOK_MS = 1000;
/** A hundred times as fast as the home fleet's: about 500 points a second and port. */
const CURVE_SECONDS = 0.2;
const POINT_INTERVAL_MS = 2;
const LOG_LINES = 2000;

/**
 * Two minutes in which nothing can leave the device and more comes in than ever: its bucket is gone, its instrument
 * measures a hundred times as often, and its log grows by a megabyte or so a second. Gives what `look` saw in each half.
 */
export async function pileUp(
  system: System,
  at: ReturnType<typeof places>,
  look: () => Promise<number>,
): Promise<{ readonly firstHalf: number; readonly secondHalf: number }> {
  await removeLake(system);
  const [device] = system.fleet.devices;
  if (device === undefined) throw new Error("there is no process device");
  const instruments = spawn(
    process.execPath,
    [
      join(at.root, "simulator/instruments/main.ts"),
      `--folder=${join(at.state, "fleet/instruments/tty")}`,
      `--instruments=rheometer-${device.site.name}`,
      "--seed=backlog",
      `--period-seconds=${CURVE_SECONDS}`,
      `--point-interval-ms=${POINT_INTERVAL_MS}`,
    ],
    { stdio: "ignore" },
  );
  try {
    const beganMs = systemClock.monotonicMs();
    let firstHalf = 0;
    let secondHalf = 0;
    for (let elapsedMs = 0; elapsedMs < PILE_MS; elapsedMs = systemClock.monotonicMs() - beganMs) {
      appendFileSync(join(device.site.root, "logs/coalmine.SensorReader.log"), chatter(elapsedMs));
      await systemClock.sleep(LOOK_MS);
      const seen = await look();
      if (elapsedMs < PILE_MS / 2) firstHalf = Math.max(firstHalf, seen);
      else secondHalf = Math.max(secondHalf, seen);
    }
    return { firstHalf, secondHalf };
  } finally {
    instruments.kill("SIGKILL");
    await once(instruments, "close");
  }
}

async function removeLake({ regions: [home] }: System): Promise<void> {
  const Bucket = home.target.lakeBucket;
  for await (const { Contents = [] } of paginateListObjectsV2({ client: home.s3 }, { Bucket }))
    if (Contents.length > 0)
      await home.s3.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }),
      );
  await home.s3.send(new DeleteBucketCommand({ Bucket }));
}

function chatter(from: number): string {
  return Array.from(
    { length: LOG_LINES },
    (_, index) =>
      `${JSON.stringify({ timestamp: systemClock.now(), level: "INFO", message: `line ${from}/${index} ${"·".repeat(200)}` })}\n`,
  ).join("");
}
