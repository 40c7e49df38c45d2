import { spawn } from "node:child_process";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import type { Check } from "../evidence/checks.ts";

/** A release could not be weighed. */
export class NotWeighed extends CoalmineError {
  readonly code = "ERR_NOT_WEIGHED";
  /** Where its build is. */
  readonly release: string;

  constructor(message: string, release: string) {
    super(message);
    this.release = release;
  }
}

/** What a release costs the machine that it runs on. */
export const Weight = z.object({
  cpuMsPerReading: z.number(),
  /** By how much live memory grows, an hour and device. */
  heapBytesPerHour: z.number(),
  /** On the devices' clock. */
  hours: z.number(),
});
export type Weight = z.infer<typeof Weight>;

/** Of one release a machine says within a tenth the same, also while others use it. */
const CPU_RATIO_MAX = 1.5;
/** An hour of one device is 240 readings of five points; a release that keeps them keeps three times as much. */
const HEAP_SPARE_BYTES = 128 * 1024;
const WEIGH_MS_MAX = 10 * 60_000;

/** Weighs two releases one after the other, each in a process of its own. @throws NotWeighed */
export async function weighing(
  running: string,
  candidate: string,
  seed: string,
  artifacts: string,
): Promise<readonly Check[]> {
  const before = await weighed(running, seed, artifacts);
  return weightChecks(before, await weighed(candidate, seed, artifacts));
}

export function weightChecks(before: Weight, after: Weight): readonly Check[] {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;
  return [
    {
      name: "a reading costs the processor what it did",
      ok: after.cpuMsPerReading <= CPU_RATIO_MAX * before.cpuMsPerReading,
      found: `${after.cpuMsPerReading.toPrecision(3)} ms with the candidate, ${before.cpuMsPerReading.toPrecision(3)} ms with what runs now`,
    },
    {
      name: "memory grows as it did",
      ok: after.heapBytesPerHour <= Math.max(0, before.heapBytesPerHour) + HEAP_SPARE_BYTES,
      found: `${kib(after.heapBytesPerHour)} a device and hour with the candidate, ${kib(before.heapBytesPerHour)} with what runs now`,
    },
  ];
}

function weighed(release: string, seed: string, artifacts: string): Promise<Weight> {
  return new Promise((resolve, reject) => {
    const words = ["--release", release, "--seed", seed, "--artifacts", artifacts];
    const child = spawn(process.execPath, [`${import.meta.dirname}/main.ts`, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: WEIGH_MS_MAX,
    });
    // Nobody waits for it any more.
    process.once("exit", () => child.kill());
    let output = "";
    let told = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (told = (told + chunk.toString("utf8")).slice(-2000)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(Weight.parse(JSON.parse(output.trim().split("\n").at(-1) ?? "")));
      else
        reject(
          new NotWeighed(
            `${release} could not be weighed: ${told.trim().split("\n").at(-1) ?? ""} (${code === null ? `not done within ${WEIGH_MS_MAX / 60_000} min` : `exit code ${code}`})`,
            release,
          ),
        );
    });
  });
}
