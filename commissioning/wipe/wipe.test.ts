import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DrivenClock } from "@coalmine/runtime";
import type { Network } from "@coalmine/site";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SimulatedNetwork } from "../../simulator/site/simulated-network.ts";
import { openSite } from "../../simulator/site/site-plan.ts";
import { durableFiles } from "../durable-files.ts";
import { placesOf } from "../places.ts";
import { wipe } from "./wipe.ts";

const SECRET = "only-this-place-knows";
let folder: string;
let root: string;
let claimCodeFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wipe-"));
  root = join(folder, "device");
  claimCodeFile = join(folder, "code-beside-the-root");
  const { label, ...places } = placesOf({ root, claimCodeFile });
  const written = [
    ...Object.values(places),
    ...Object.values(label),
    join(root, "commissioning", "answers.json"),
    join(root, "commissioning", "page-code"),
    // The core device keeps its configuration in its own way as well.
    join(root, "config", "config.tlog"),
    join(root, "config", "effectiveConfig.yaml"),
  ];
  for (const path of written) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, SECRET);
  }
  await mkdir(join(root, "packages"));
  await writeFile(join(root, "packages", "component.js"), "no secret");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function parts(trimCode = 0) {
  const commands: string[] = [];
  const network: Pick<Network, "adapters" | "forget"> = new SimulatedNetwork(
    () => openSite,
    new DrivenClock(0, () => Promise.resolve()),
  );
  const run = async (command: string, args: readonly string[]) => {
    commands.push([command, ...args].join(" "));
    return { code: trimCode, stdout: "", stderr: "fstrim: the discard operation is not supported\n" };
  };
  return { network, run, commands };
}
async function left(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

test("nothing that the device knew of its place is left, also outside its root; what every device has stays", async () => {
  const { commands, ...ends } = parts();
  const wiped = await wipe({ root, claimCodeFile }, ends);
  expect(await left()).toEqual(["component.js"]);
  expect(wiped.erased[0]).toContain(join(root, "thing"));
  expect(wiped.forgotten).toEqual(["eth0", "wlan0"]);
  expect([wiped.trim, commands]).toEqual([{ kind: "trimmed" }, [`fstrim ${root}`]]);
  const again = await wipe({ root, claimCodeFile }, parts(1));
  expect(again).toMatchObject({
    erased: [],
    trim: { kind: "not-trimmed", why: "fstrim: the discard operation is not supported" },
  });
});

test("cut at any file, it is run again and finishes", async () => {
  const total = (await left()).length - 1;
  for (let cutAt = 1; cutAt < total; cutAt += 5) {
    let erased = 0;
    const cutting = {
      erase: async (path: string) => {
        if (++erased === cutAt) throw new Error("the power is gone");
        await durableFiles.erase(path);
      },
    };
    const attempt = wipe({ root, claimCodeFile }, { ...parts(), files: cutting });
    await attempt.catch((failure: unknown) => expect(String(failure)).toContain("the power is gone"));
  }
  await wipe({ root, claimCodeFile }, parts());
  expect(await left()).toEqual(["component.js"]);
});
