import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import type { Check } from "../evidence/checks.ts";
import { openWitnessed } from "../evidence/witnessed-region.ts";
import { readRelease } from "../release/release-folder.ts";
import { isNamedFailure, rehearse } from "./rehearse.ts";
import { weighing } from "./weighing.ts";

/**
 * The gate before publishing: the candidate's own bytes on a simulated fleet, upgraded to under load and faults, and
 * rolled back from. A process of its own, since imported versions are never freed.
 */
const usage = `usage: simulator/fleet/rehearsal/main.ts --candidate DIR [--running DIR] [--devices 8] [--seed 1] [--artifacts DIR] [--hosted-only] [--json]
  The folders are what a build makes: build.json, recipes, artifacts. --artifacts keeps unpacked artifacts for the next time.
  Beside it the release and what runs now are weighed, each in a process of its own; --hosted-only leaves that out.`;
const EXIT = { unexpected: 1, usage: 2, failed: 3 } as const;
const Options = z.object({
  candidate: z.string().min(1),
  running: z.string().optional(),
  devices: z.coerce.number().int().min(2).max(1000),
  seed: z.string().min(1),
  artifacts: z.string().optional(),
  hostedOnly: z.boolean(),
  json: z.boolean(),
});

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`${usage}\n`);
    return EXIT.usage;
  }
  const startedMs = systemClock.monotonicMs();
  const seconds = (): number => Math.round((systemClock.monotonicMs() - startedMs) / 100) / 10;
  const progress = (sentence: string): void => {
    const line = options.json
      ? JSON.stringify({ seconds: seconds(), progress: sentence })
      : `${sentence} (${seconds()} s)`;
    process.stdout.write(`${line}\n`);
  };
  const temporary = options.artifacts === undefined ? mkdtempSync(join(tmpdir(), "rehearsal-")) : undefined;
  const artifactFolder = temporary ?? options.artifacts ?? "";
  mkdirSync(artifactFolder, { recursive: true });
  let began: { readonly clock: { now(): number }; readonly atMs: number } | undefined;
  const end = (passed: boolean, sentence: string, checks: readonly Check[]): number => {
    const lived = began === undefined ? 0 : (began.clock.now() - began.atMs) / 3_600_000;
    const hours = Math.round(lived * 100) / 100;
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ passed, verdict: sentence, checks, seconds: seconds(), hours })}\n`
        : `${checks.map(({ name, ok, found }) => `${ok ? "ok" : "FAILED"}: ${name} (${found})\n`).join("")}${sentence}\n`,
    );
    return passed ? 0 : EXIT.failed;
  };
  try {
    const candidate = readRelease(options.candidate);
    const running = options.running === undefined ? undefined : readRelease(options.running);
    const witnessed = await openWitnessed({
      devices: options.devices,
      seed: options.seed,
      artifactFolder,
      // A rehearsal's faults are its own.
      faultyShare: 0,
      pointwiseDevices: 1,
    });
    const { clock } = witnessed.region;
    began = { clock, atMs: clock.now() };
    const random = new SeededRandom(`rehearsal/${options.seed}`);
    // On the other core meanwhile.
    const weighed =
      options.running === undefined || options.hostedOnly
        ? Promise.resolve([])
        : weighing(options.running, options.candidate, options.seed, `${artifactFolder}/weighed`);
    // Where the rehearsal itself comes to nothing, that is what is told.
    weighed.catch(() => undefined);
    const rehearsed = await rehearse({ ...witnessed, random, candidate, running, progress });
    const checks = [...rehearsed, ...(await weighed)];
    await witnessed.region.close();
    const wrong = checks.filter(({ ok }) => !ok);
    const [first] = wrong;
    return first === undefined
      ? end(
          true,
          `The candidate passes: all ${checks.length} checks hold on ${options.devices} devices.`,
          checks,
        )
      : end(
          false,
          `The candidate fails ${wrong.length} of ${checks.length} checks, first "${first.name}": ${first.found}.`,
          checks,
        );
  } catch (failure) {
    if (!isNamedFailure(failure)) throw failure;
    return end(false, `The candidate fails: ${failure.code}: ${failure.message}.`, []);
  } finally {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

function readOptions(): z.infer<typeof Options> | undefined {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      options: {
        candidate: text,
        running: text,
        devices: { type: "string", default: "8" },
        seed: { type: "string", default: "1" },
        artifacts: text,
        "hosted-only": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    return Options.safeParse({ ...values, hostedOnly: values["hosted-only"] }).data;
  } catch {
    return undefined;
  }
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    process.stderr.write(`The rehearsal failed: ${messageOf(failure)}\n`);
    process.exit(EXIT.unexpected);
  },
);
