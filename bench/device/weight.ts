import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { bundleProgram } from "../../pipeline/build/bundle.ts";
import { nativeFiles } from "../../pipeline/build/native-modules.ts";
import { hostPlatform } from "../../pipeline/build/platform.ts";
import type { processRig } from "../../simulator/core-device/testing/process-rig.ts";
import { memoryOfTree } from "../../simulator/fleet/process/process-tree.ts";
import { atMost, median, type Metrics, ratio, ROUNDS } from "../measure.ts";

/** Two looks for something to collect, the first of which may find a process that is busy starting. */
const COLLECTED_MS = 25_000;
const SETTLE_MS = 5000;
const MIB = 1024 ** 2;

type Rig = Awaited<ReturnType<typeof processRig>>;

/**
 * Proportional set sizes of a process device without components, of a bare `node`, and of the libraries alone that a
 * device is prescribed; one of each kind at a time, side by side, since each has to rest before it is weighed. Pages of a
 * binary are shared by all who run it, whoever else on this machine that is: each kind has a copy of its own, and is
 * weighed beside one process of that copy that stays, and has used what a cloud on this machine would: TLS, HTTP, files.
 */
export async function weights(rig: Rig, root: string, checkout: string): Promise<Metrics> {
  const program = await librariesAlone(checkout, join(rig.folder, "libraries"));
  // Two clients of one name would throw each other out.
  const librariesRoot = await rig.rootOf(await rig.operator.register("of-libraries"));
  const besides: ChildProcess[] = [];
  const ownNode = async (kind: string): Promise<string> => {
    const node = join(rig.folder, `node-${kind}`);
    copyFileSync(process.execPath, node);
    const besideRoot = await rig.rootOf(await rig.operator.register(`beside-${kind}`));
    const besideProgram = await librariesAlone(checkout, join(rig.folder, `beside-${kind}-libraries`));
    besides.push(await rig.start(besideRoot, { node, program: besideProgram }));
    return node;
  };
  try {
    const nodes = { device: await ownNode("d"), libraries: await ownNode("l"), bare: await ownNode("b") };
    const bytes = { device: [] as number[], libraries: [] as number[], bare: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const [device, libraries, bare] = await Promise.all([
        rig.start(root, { node: nodes.device }).then((child) => weigh(child, COLLECTED_MS)),
        rig
          .start(librariesRoot, { node: nodes.libraries, program })
          .then((child) => weigh(child, COLLECTED_MS)),
        weigh(spawn(nodes.bare, ["-e", "setInterval(() => {}, 1e9)"], { stdio: "ignore" }), SETTLE_MS),
      ]);
      bytes.device.push(device);
      bytes.libraries.push(libraries);
      bytes.bare.push(bare);
    }
    return {
      "process device": { value: median(bytes.device) / MIB, unit: "MiB" },
      "bare node": { value: median(bytes.bare) / MIB, unit: "MiB" },
      "of a bare node": atMost(ratio(bytes.device, bytes.bare), "", 2),
      "the prescribed libraries alone, of a bare node": {
        value: ratio(bytes.libraries, bytes.bare),
        unit: "",
      },
      "process device to the libraries": { value: ratio(bytes.device, bytes.libraries), unit: "" },
    };
  } finally {
    await Promise.all(besides.map(ended));
  }
}

async function librariesAlone(checkout: string, folder: string): Promise<string> {
  const platform = hostPlatform();
  if (platform === undefined) throw new Error(`no devices run on ${process.platform}-${process.arch}`);
  const source = join(import.meta.dirname, "libraries.ts");
  const { files, inputs } = await bundleProgram(checkout, source, "own folder");
  mkdirSync(folder);
  for (const { name, bytes } of [...files, ...(await nativeFiles(checkout, inputs, platform))])
    writeFileSync(join(folder, name), bytes);
  return join(folder, "main.mjs");
}

/** Proportional set size of a process that has come to rest, in bytes; it is ended then. */
async function weigh(child: ChildProcess, restMs: number): Promise<number> {
  await systemClock.sleep(restMs);
  const { pssBytes } = await memoryOfTree(child.pid ?? 0);
  await ended(child);
  return pssBytes;
}

export async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}
