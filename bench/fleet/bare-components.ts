import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { YOUNG_SPACE } from "../../simulator/fleet/driven/young-space.ts";
import { median } from "../measure.ts";

const root = dirname(dirname(import.meta.dirname));
/** Few, since nothing grows with them, and long, so that beginning counts for little. */
const DEVICES = 20;
const HOURS = 24;
/** What the reference load is, so that nothing is left out unseen. */
const Told = z.object({
  ms: z.number().positive(),
  readings: z.literal(240),
  heartbeats: z.literal(60),
  lines: z.number().min(40),
  objects: z.number().min(1),
  /** Five of each reading, and the results of a curve; where they are read. */
  points: z.number().min(1200).optional(),
});

/**
 * The limit: processor time in ms of a device's hour where its components' bundles run on ports that do next to nothing; with
 * `isRead` what they send is read, and nothing else. As many processes at once as the fleet has, since cores share their
 * memory and caches.
 */
export async function bareComponentsMs(folder: string, processes: number, isRead: boolean): Promise<number> {
  const runs = Array.from({ length: processes }, async (_, index) => {
    const artifactFolder = join(folder, `bare-${index}`);
    mkdirSync(artifactFolder, { recursive: true });
    const told = { dist: join(root, "dist"), artifactFolder, devices: DEVICES, hours: HOURS, isRead };
    const words = [...YOUNG_SPACE, join(import.meta.dirname, "bare-main.ts"), JSON.stringify(told)];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    const code = await new Promise<number | null>((exit) => child.once("close", exit));
    if (code !== 0) throw new Error(`the bundles alone ended with ${code ?? child.signalCode ?? "nothing"}`);
    return Told.parse(JSON.parse(output)).ms;
  });
  return median(await Promise.all(runs));
}
