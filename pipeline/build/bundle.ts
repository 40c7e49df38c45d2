import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";
import { BuildError } from "./build-error.ts";
import { nativeModulesPlugin } from "./native-modules.ts";
import type { ZipEntry } from "./zip.ts";

export interface Bundle {
  /** `component.mjs`, `config.mjs`, `main.mjs` and a file for each worker that main starts. */
  readonly files: readonly ZipEntry[];
  /** Every source that went into them, by its path from the root. */
  readonly inputs: ReadonlySet<string>;
}

/** Not minified: an uncaught error prints its whole source line into the component's log. */
const shared = {
  bundle: true,
  write: false,
  metafile: true,
  format: "esm",
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
} satisfies BuildOptions;

/** Refuses `node:` imports; takes the variant of a library that was made for browsers. */
const neutral = {
  ...shared,
  platform: "neutral",
  target: "es2024",
  mainFields: ["module", "main"],
  conditions: ["browser"],
} satisfies BuildOptions;

const onNode = {
  ...shared,
  platform: "node",
  target: "node24",
  // What libraries in CommonJS call when they need Node's own modules or a native one.
  banner: { js: 'import{createRequire as c}from"node:module";const require=c(import.meta.url);' },
} satisfies BuildOptions;

/**
 * Bundles one component. `folder` holds `src/component.ts`, `src/main.ts` and `src/config.ts`; paths in the bundles
 * are relative to `root`, so that they do not depend on where the checkout lies.
 */
export async function bundleComponent(root: string, folder: string): Promise<Bundle> {
  const source = (name: string) => join(root, folder, "src", name);
  const workers = new Set<string>();
  const component = await run(root, source("component.ts"), "component.mjs", neutral);
  const config = await run(root, source("config.ts"), "config.mjs", neutral);
  const main = await run(root, source("main.ts"), "main.mjs", {
    ...onNode,
    plugins: [componentBeside(source("component.ts")), workersBeside(workers), nativeModulesPlugin],
  });
  const parts = [component, config, main];
  for (const worker of workers)
    parts.push(
      await run(root, worker, asModule(worker), {
        ...onNode,
        plugins: [workersBeside(new Set()), nativeModulesPlugin],
      }),
    );
  return {
    files: parts.map(({ entry }) => entry),
    inputs: new Set(parts.flatMap(({ inputs }) => Object.keys(inputs))),
  };
}

async function run(
  root: string,
  file: string,
  name: string,
  options: BuildOptions & typeof shared,
): Promise<{ entry: ZipEntry; inputs: Metafile["inputs"] }> {
  if (!existsSync(file))
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${file} is missing; every component has src/component.ts, src/config.ts and src/main.ts`,
    );
  const result = await build({ ...options, absWorkingDir: root, entryPoints: [file], outdir: "dist" });
  const [output] = result.outputFiles;
  if (output === undefined)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `bundling ${file} gave nothing; run it again with esbuild alone`,
    );
  return { entry: { name, bytes: output.contents }, inputs: result.metafile.inputs };
}

/** main.mjs imports the component from its own file: those bytes are the ones that hosted devices run. */
function componentBeside(component: string): Plugin {
  return {
    name: "component-beside",
    setup(build) {
      build.onResolve({ filter: /^\.\/component\.ts$/ }, ({ path, resolveDir }) =>
        join(resolveDir, path) === component ? { path: "./component.mjs", external: true } : undefined,
      );
    },
  };
}

/** `new URL("./x-worker.ts", import.meta.url)` in a source becomes a file of its own beside main.mjs. */
function workersBeside(found: Set<string>): Plugin {
  const worker = /new URL\(\s*"(\.\/[\w./-]+-worker\.ts)",\s*import\.meta\.url,?\s*\)/g;
  return {
    name: "workers-beside",
    setup(build) {
      build.onLoad(
        { filter: /\/packages\/[^/]+\/src\/.*\.ts$|\/components\/[^/]+\/src\/.*\.ts$/ },
        async ({ path }) => {
          const source = await readFile(path, "utf8");
          if (!source.includes("-worker.ts")) return undefined;
          const contents = source.replaceAll(worker, (_, relative: string) => {
            const file = join(dirname(path), relative);
            found.add(file);
            return `new URL("./${asModule(file)}", import.meta.url)`;
          });
          return { contents, loader: "ts" };
        },
      );
    },
  };
}

function asModule(file: string): string {
  return basename(file).replace(/\.ts$/, ".mjs");
}
