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

/** Plays a steady time of so many devices with what was built last; rejects where something did not hold. */
export async function hosted(
  folder: string,
  devices: number,
  hours: number,
  processes = 2,
): Promise<HostedFigures> {
  const scenario = join(folder, `steady-${hours}.yaml`);
  const sites = "[{ name: site, share: 0.95 }, { name: outpost, share: 0.05, link: unsteady }]";
  writeFileSync(
    scenario,
    `about: the reference load\nfleet: { sites: ${sites} }\nlasts: ${hours} h\nexpect: [no deployment fails]\n`,
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
  if (!outcome.passed)
    throw new Error(
      outcome.checks.flatMap(({ name, ok, found }) => (ok ? [] : [`${name}: ${found}`])).join("; "),
    );
  return {
    seconds: (systemClock.monotonicMs() - startedMs) / 1000,
    processorSeconds: processorMs / 1000,
    bytesMax,
    digest: outcome.digest,
  };
}
