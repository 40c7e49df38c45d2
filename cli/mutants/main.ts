import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { isMutant, mutantNames } from "../../simulator/fleet/mutants/catalogue.ts";
import { exitCodes } from "../exit-codes.ts";
import { ownRelease } from "../simulate/own-release.ts";
import { buildRunning } from "../simulate/releases.ts";
import { onStopAsked } from "../stop-asked.ts";
import { places } from "../system/state.ts";
import { Caught, LayerName, layers } from "./layer.ts";
import { meet } from "./meet.ts";
import { pageOf } from "./page.ts";

/** Has each bad release of the catalogue meet what stands before the main fleet, and writes down where it was caught. */
const usage = `usage: npm run -s mutants -- [--only NAME]... [--layers ${layers.join(",")}] [--devices 8] [--seed 1] [--json]
  Writes docs/mutants.md, row by row. "unchanged" is the running release under new versions, which nothing may catch.
  Bad releases: ${mutantNames.join(", ")}`;
const Options = z.object({
  only: z
    .array(
      z.union([
        z.literal("unchanged"),
        z.custom<Parameters<typeof meet>[1]>((name) => typeof name === "string" && isMutant(name)),
      ]),
    )
    .optional(),
  layers: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(LayerName)),
  devices: z.coerce.number().int().min(2).max(1000),
  seed: z.string().min(1),
  json: z.boolean(),
});

const root = dirname(dirname(import.meta.dirname));
const at = places(root, process.env);
const caughtFile = join(root, "simulator/fleet/mutants/caught.json");
const pageFile = join(root, "docs/mutants.md");

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`${usage}\n`);
    return exitCodes.usage;
  }
  const { devices, seed, json } = options;
  const interrupted = new AbortController();
  onStopAsked((signal) => interrupted.abort(new Error(`interrupted by ${signal}`)));
  const folder = join(at.base, "mutants", String(process.pid));
  mkdirSync(folder, { recursive: true });
  try {
    const built = await buildRunning(at, folder);
    const running = await ownRelease(join(folder, "running"), built);
    const policy = readFileSync(join(root, "pipeline/policy.yaml"), "utf8");
    const told = (
      name: string,
      layer: string,
      { by, found, seconds }: { by: string | null; found: string; seconds: number },
    ): void =>
      (json ? console.error : console.log)(
        `${name}, ${layer}: ${by === null ? "not caught" : `caught by ${by}`} after ${seconds.toFixed(0)} s (${found.slice(0, 300)})`,
      );
    const meeting = { at, folder, built, running, devices, seed, policy, signal: interrupted.signal, told };
    const all: Record<string, Awaited<ReturnType<typeof meet>>> = {};
    for (const name of options.only ?? mutantNames.filter(isMutant)) {
      interrupted.signal.throwIfAborted();
      all[name] = await meet(meeting, name, options.layers);
      if (name !== "unchanged") record(name, all[name]);
    }
    if (json) console.log(JSON.stringify(all));
    return exitCodes.done;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What other layers said of it before stays. */
function record(name: string, met: Awaited<ReturnType<typeof meet>>): void {
  const before = existsSync(caughtFile) ? Caught.parse(JSON.parse(readFileSync(caughtFile, "utf8"))) : {};
  const caught = { ...before, [name]: { ...before[name], ...met } };
  const sorted = Object.fromEntries(Object.entries(caught).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(caughtFile, `${JSON.stringify(sorted, undefined, 2)}\n`);
  writeFileSync(pageFile, pageOf(sorted));
}

function readOptions(): z.infer<typeof Options> | undefined {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string", multiple: true },
        layers: { type: "string", default: "check,hosted,weighed" },
        devices: { type: "string", default: "8" },
        seed: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
      },
    });
    return Options.safeParse(values).data;
  } catch {
    return undefined;
  }
}

main().then(
  (code) => (process.exitCode = code),
  (failure: unknown) => {
    process.stderr.write(`${messageOf(failure)}\n`);
    process.exitCode = exitCodes.unexpected;
  },
);
