import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { join } from "node:path";
import { componentNames } from "@coalmine/contract";
import { systemClock } from "@coalmine/runtime/system-clock";
import { places } from "../../cli/system/state.ts";
import { startSystem, type System } from "../../cli/system/system.ts";
import { memoryOfTree, startedWith, treeOf } from "../../simulator/fleet/process/process-tree.ts";
import { atMost, type Bench, median, type Metrics, ROUNDS } from "../measure.ts";
import { pileUp } from "./backlog.ts";
import { frugal, withParts } from "./parts.ts";

const MIB = 1024 ** 2;
const components = [
  componentNames.sensorReader,
  componentNames.inference,
  componentNames.streamUploader,
  componentNames.logManager,
];
/** After its instruments are gone a device has nothing to do but its own minutes; what it had to free is freed by then. */
const SETTLE_MS = 45_000;
const BETWEEN_MS = 3000;

/**
 * Four idle components, from their bundles under the core device, against four bare `node` processes of the same binary:
 * proportional set sizes. The two stand one after the other, since pages of one binary are shared by all who run it.
 * A third four hold what is prescribed and nothing of ours: the libraries alone, bundled and run as the components are.
 */
export const bench: Bench = async (say) => {
  const root = join(import.meta.dirname, "../..");
  const { cache } = places(root, process.env);
  const at = places(root, { COALMINE_STATE: join(root, ".coalmine", "bench"), COALMINE_CACHE: cache });
  rmSync(at.state, { recursive: true, force: true });
  let system: System | undefined;
  try {
    system = await startSystem({
      at,
      processDevices: 1,
      hostedDevices: 5,
      seed: "memory",
      say,
      logLine: () => undefined,
    });
    await system.aging.stop();
    await system.fleet.instruments.stop();
    say(`idle for ${SETTLE_MS / 1000} s`);
    await systemClock.sleep(SETTLE_MS);
    const byComponent = new Map<string, number[]>();
    const pids = new Map<string, number>();
    let program = "";
    const below = new Set(await treeOf(system.fleet.devices[0]?.process.pid ?? 0));
    for (const component of components) {
      const pid = (await startedWith("COALMINE_COMPONENT", component)).find((id) => below.has(id));
      if (pid === undefined) throw new Error(`${component} does not run; see ${at.state}/fleet/core-01/logs`);
      program = await readlink(`/proc/${pid}/exe`);
      pids.set(component, pid);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [component, pid] of pids) {
        const { pssBytes } = await memoryOfTree(pid);
        byComponent.set(component, [...(byComponent.get(component) ?? []), pssBytes / MIB]);
      }
      await systemClock.sleep(BETWEEN_MS);
    }
    say("nothing can leave, and a hundred times as much comes in, for two minutes");
    const piled = await pileUp(system, at, async () => {
      const all = await Promise.all([...pids.values()].map(memoryOfTree));
      return all.reduce((sum, { pssBytes }) => sum + pssBytes / MIB, 0);
    });
    // The binary stays when the device is stopped: an unpacked artifact.
    await system.stop();
    system = undefined;
    const bare = await together(
      Array.from(byComponent, () => [program, "--eval", "setInterval(() => {}, 3600000)"]),
    );
    const parts = await withParts(root, program, at.state, together);
    return {
      ...figures(byComponent, bare, parts),
      "under a backlog, first minute": { value: piled.firstHalf, unit: "MiB" },
      "under a backlog, second minute": { value: piled.secondHalf, unit: "MiB" },
      // What piles up for twice as long takes no more memory: it lies on the disk.
      "second minute to first": atMost(piled.secondHalf / piled.firstHalf, "x", 1.1),
    };
  } finally {
    await system?.stop();
    rmSync(at.base, { recursive: true, force: true });
  }
};

/** What processes hold together that were started and left alone, in MiB, by round. */
async function together(commands: readonly (readonly string[])[]): Promise<number[]> {
  const children = commands.map(([program = "", ...args]) =>
    spawn(program, args, { stdio: "ignore", env: { ...process.env, ...frugal } }),
  );
  try {
    await systemClock.sleep(SETTLE_MS / 3);
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await systemClock.sleep(BETWEEN_MS);
      const all = await Promise.all(children.map(({ pid = 0 }) => memoryOfTree(pid)));
      rounds.push(
        all.reduce((sum, { processes, pssBytes }) => {
          if (processes !== 1) throw new Error("a process that should idle has ended");
          return sum + pssBytes / MIB;
        }, 0),
      );
    }
    return rounds;
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

function figures(
  byComponent: ReadonlyMap<string, readonly number[]>,
  bare: readonly number[],
  parts: readonly number[],
): Metrics {
  const own = [...byComponent].map(
    ([name, rounds]) => [name, { value: median(rounds), unit: "MiB" }] as const,
  );
  const sum = own.reduce((all, [, { value }]) => all + value, 0);
  return {
    ...Object.fromEntries(own),
    "four components": { value: sum, unit: "MiB" },
    "four bare node processes": { value: median(bare), unit: "MiB" },
    "four with the prescribed libraries alone": { value: median(parts), unit: "MiB" },
    ratio: atMost(sum / median(bare), "x", 1.9),
    "the libraries' own ratio": { value: median(parts) / median(bare), unit: "x" },
    "components to libraries": { value: sum / median(parts), unit: "x" },
  };
}
