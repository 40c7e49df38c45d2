import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ToRun } from "../../simulator/fleet/scenario/run-wire.ts";
import { shareOf } from "./profile.ts";

const main = join(import.meta.dirname, "../../simulator/fleet/scenario/main.ts");
const SAMPLE_MICROSECONDS = "500";

/** Which part of a fleet's time its components' own bundles take: what no simulator beneath them could make less. */
export async function componentShare(folder: string, told: ToRun): Promise<number> {
  const profiles = mkdtempSync(join(folder, "profiles-"));
  const words = ["--cpu-prof", `--cpu-prof-dir=${profiles}`, `--cpu-prof-interval=${SAMPLE_MICROSECONDS}`];
  const child = spawn(process.execPath, [...words, main, JSON.stringify(told)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise<number | null>((exit) => child.once("exit", exit));
  if (code !== 0) throw new Error(`the profiled run ended with ${code ?? child.signalCode ?? "nothing"}`);
  const shares = readdirSync(profiles).map((name) =>
    shareOf(JSON.parse(readFileSync(join(profiles, name), "utf8")), (url) => url.endsWith("/component.mjs")),
  );
  // A thread that runs models has one of its own, without a component in it.
  return Math.max(...shares);
}
