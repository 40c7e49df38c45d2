import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import {
  logEvents,
  operatorCalls,
  operatorFiles,
  QUIET_MS_MAX,
  streamEvents,
} from "@coalmine/contract/operator-api";
import { build, type Plugin } from "esbuild";
import * as z from "zod";

const here = import.meta.dirname;

/**
 * Writes what a browser loads: `index.html`, the worker that keeps it for bad days, and below `parts/` files whose names
 * hold their hash, which may be kept for ever. Needs no network.
 */
export async function buildConsole(outFolder: string): Promise<void> {
  await rm(outFolder, { recursive: true, force: true });
  await mkdir(outFolder, { recursive: true });
  const { metafile } = await build({
    entryPoints: { console: join(here, "main.tsx"), style: join(here, "style.css") },
    outdir: outFolder,
    entryNames: "parts/[name]-[hash]",
    chunkNames: "parts/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    legalComments: "none",
    metafile: true,
    absWorkingDir: here,
    plugins: [contract],
  });
  const outputs = Object.entries(metafile.outputs);
  const made = (source: string): string => {
    const [path] = outputs.find(([, { entryPoint }]) => entryPoint === source) ?? [];
    if (path === undefined) throw new Error(`esbuild made nothing of ${source}`);
    return relative(outFolder, join(here, path));
  };
  const html = await readFile(join(here, "index.html"), "utf8");
  const index = html.replace("STYLE", `/${made("style.css")}`).replace("SCRIPT", `/${made("main.tsx")}`);
  await writeFile(join(outFolder, "index.html"), index);
  const kept = outputs.map(([path]) => `/parts/${basename(path)}`).sort();
  const worker = await readFile(join(here, "keeper.js"), "utf8");
  await writeFile(join(outFolder, "keeper.js"), worker.replace("[KEPT]", JSON.stringify(["/", ...kept])));
}

/** The contract as data. Its schemas become JSON Schema: zod itself would weigh more than all of the console. */
const contract: Plugin = {
  name: "contract",
  setup(building) {
    building.onResolve({ filter: /^coalmine:contract$/ }, ({ path }) => ({ path, namespace: "contract" }));
    building.onLoad({ filter: /.*/, namespace: "contract" }, () => ({ contents: contractModule() }));
  },
};

function contractModule(): string {
  const calls = mapped(operatorCalls, ({ method, path, answer }) => ({
    method,
    path,
    shape: shapeOf(answer),
  }));
  const values = {
    calls,
    events: mapped(streamEvents, shapeOf),
    logLine: shapeOf(logEvents.line),
    files: operatorFiles,
    quietMsMax: QUIET_MS_MAX,
  };
  return Object.entries(values)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
    .join("\n");
}

function mapped<Value>(record: Readonly<Record<string, Value>>, to: (value: Value) => unknown): object {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}

/** What `console/door/shape.ts` looks at. Bounds of numbers and texts are the server's own affair. */
function shapeOf(schema: z.ZodType): unknown {
  const whole: unknown = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
  const known = new Set([
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "minLength",
    "maxLength",
    "pattern",
    "$schema",
  ]);
  return JSON.parse(JSON.stringify(whole, (key, value: unknown) => (known.has(key) ? undefined : value)));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  if (values.out === undefined) {
    console.error("Usage: node console/build.ts --out FOLDER");
    process.exitCode = 2;
  } else await buildConsole(values.out);
}
