import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { sharedRun } from "../../simulator/fleet/scenario/shared-run.ts";

const root = dirname(dirname(import.meta.dirname));
const UNBOUNDED = { time: 24 * 3_600_000, memory: 64 * 1024 ** 3 };

export interface HostedFigures {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly bytesMax: number;
  readonly digest: string;
}

const EXPECTED = "no deployment fails";

/**
 * Plays a steady time of so many devices with what was built last; rejects where something did not hold. What is under way
 * at its end has as long again to arrive as any scenario gives it; where that is cut off, only deployments are looked at.
 */
export async function hosted(
  folder: string,
  devices: number,
  hours: number,
  { processes = 2, cutOff = false } = {},
): Promise<HostedFigures> {
  const scenario = join(folder, `steady-${hours}.yaml`);
  const settles = cutOff ? "settles: 0 s\n" : "";
  const sites = "[{ name: site, share: 0.95 }, { name: outpost, share: 0.05, link: unsteady }]";
  writeFileSync(
    scenario,
    `about: the reference load\nfleet: { sites: ${sites} }\nlasts: ${hours} h\n${settles}expect: [${EXPECTED}]\n`,
  );
  const startedMs = systemClock.monotonicMs();
  let processorMs = 0;
  let bytesMax = 0;
  const outcome = await sharedRun(
    {
      scenario,
      seed: "bench",
      devices,
      running: join(root, "dist"),
      artifactFolder: join(folder, "artifacts"),
    },
    {
      clock: systemClock,
      bounds: UNBOUNDED,
      progress: () => undefined,
      used: (used) => {
        ({ processorMs } = used);
        bytesMax = Math.max(bytesMax, used.bytes);
      },
    },
    processes,
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
