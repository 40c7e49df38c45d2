import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { ToRun } from "../../simulator/fleet/scenario/run-wire.ts";
import { AT_A_TIME, sharedRun } from "../../simulator/fleet/scenario/shared-run.ts";

const root = dirname(dirname(import.meta.dirname));
/** Twice of what a device and hour took when this was written; past it a run is stopped, and says so. */
const DEVICE_HOUR_MS_MAX = 180;
/** Installing, and the end; and what a fleet of any size begins with. */
const DEVICE_MS_MAX = 300;
const BEGIN_MS_MAX = 60_000;
const MEMORY_MAX = 64 * 1024 ** 3;

export interface HostedFigures {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly bytesMax: number;
  readonly digest: string;
}

const EXPECTED = "no deployment fails";

/** A steady time of so many devices at the reference load, with what was built last. */
function steady(folder: string, devices: number, hours: number, cutOff = false): ToRun {
  const scenario = join(folder, `steady-${hours}.yaml`);
  const settles = cutOff ? "settles: 0 s\n" : "";
  const sites = "[{ name: site, share: 0.95 }, { name: outpost, share: 0.05, link: unsteady }]";
  writeFileSync(
    scenario,
    `about: the reference load\nfleet: { sites: ${sites} }\nlasts: ${hours} h\n${settles}expect: [${EXPECTED}]\n`,
  );
  return {
    scenario,
    seed: "bench",
    devices,
    running: join(root, "dist"),
    artifactFolder: join(folder, "artifacts"),
  };
}

/**
 * Plays it; rejects where something did not hold, or where it takes far longer than it ever did. What is under way at its
 * end has as long again to arrive as any scenario gives it; where that is cut off, only deployments are looked at.
 */
export async function hosted(
  folder: string,
  devices: number,
  hours: number,
  { processes = 2, atATime = AT_A_TIME, cutOff = false } = {},
): Promise<HostedFigures> {
  const startedMs = systemClock.monotonicMs();
  let processorMs = 0;
  let bytesMax = 0;
  const outcome = await sharedRun(
    steady(folder, devices, hours, cutOff),
    {
      clock: systemClock,
      bounds: {
        time: BEGIN_MS_MAX + devices * (DEVICE_MS_MAX + hours * DEVICE_HOUR_MS_MAX),
        memory: MEMORY_MAX,
      },
      progress: () => undefined,
      used: (used) => {
        ({ processorMs } = used);
        bytesMax = Math.max(bytesMax, used.bytes);
      },
    },
    { processes, atATime },
  );
  const checks = cutOff ? outcome.checks.filter(({ name }) => name === EXPECTED) : outcome.checks;
  if (checks.length === 0 || !checks.every(({ ok }) => ok))
    throw new Error(checks.flatMap(({ name, ok, found }) => (ok ? [] : [`${name}: ${found}`])).join("; "));
  return {
    seconds: (systemClock.monotonicMs() - startedMs) / 1000,
    processorSeconds: processorMs / 1000,
    bytesMax,
    digest: outcome.digest,
  };
}
