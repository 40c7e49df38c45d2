import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { usualNames } from "../driven/usual-settings.ts";
import { liveHeapBytes } from "../evidence/usage-witness.ts";
import { openWitnessed } from "../evidence/witnessed-region.ts";
import { deployRelease, untilInstalled } from "../release/deploy.ts";
import { publishRelease } from "../release/publish.ts";
import { readRelease } from "../release/release-folder.ts";
import type { Weight } from "./weighing.ts";

/**
 * Weighs one release: some hosted devices live on it for some hours, and nothing else is in this process. Run for two
 * releases with the same seed the difference is the releases' own. The last line is a `Weight`.
 */
const Options = z.object({ release: z.string().min(1), seed: z.string().min(1) });
const DEVICES = 2;
/** In the first hour code is compiled and caches are filled. */
const WARM_HOURS = 1;
const HOURS = 5;
const HOUR_MS = 3_600_000;
const INSTALL_MS_MAX = 20 * 60_000;

async function weigh(): Promise<Weight> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { release: text, seed: text, artifacts: text } });
  const { release: folder, seed } = Options.parse(values);
  const artifactFolder = values.artifacts ?? mkdtempSync(join(tmpdir(), "weighing-"));
  try {
    const release = readRelease(folder);
    const { region } = await openWitnessed({ devices: DEVICES, seed, artifactFolder, faultyShare: 0 });
    await publishRelease(region, release, usualNames.artifactBucket);
    const id = await deployRelease(region, release, usualNames.fleetGroup, "weighed");
    await untilInstalled(region, release, INSTALL_MS_MAX, id);
    await region.turn.advance(WARM_HOURS * HOUR_MS);
    const bytes = liveHeapBytes();
    const cpu = process.cpuUsage();
    const readings = region.devices.reduce((sum, { thingName }) => sum + readingsOf(thingName), 0);
    await region.turn.advance(HOURS * HOUR_MS);
    const { user, system } = process.cpuUsage(cpu);
    const measured = region.devices.reduce((sum, { thingName }) => sum + readingsOf(thingName), 0) - readings;
    const grown = liveHeapBytes() - bytes;
    await region.close();
    return {
      cpuMsPerReading: (user + system) / 1000 / measured,
      heapBytesPerHour: grown / (DEVICES * HOURS),
      hours: WARM_HOURS + HOURS,
    };

    function readingsOf(thingName: string): number {
      return (region.ledgerOf(thingName)?.boots() ?? []).reduce((sum, boot) => sum + boot.readings, 0);
    }
  } finally {
    if (values.artifacts === undefined) rmSync(artifactFolder, { recursive: true, force: true });
  }
}

weigh().then(
  (weight) => {
    process.stdout.write(`${JSON.stringify(weight)}\n`);
    process.exit(0);
  },
  (failure: unknown) => {
    process.stderr.write(`${messageOf(failure)}\n`);
    process.exit(1);
  },
);
