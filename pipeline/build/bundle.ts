import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";
import { BuildError } from "./build-error.ts";
import { nativeModulesPlugin } from "./native-modules.ts";
import { nodeModulesPlugin } from "./node-modules.ts";
import type { ZipEntry } from "./zip.ts";

export interface Bundle {
  /**
   * `component.mjs`; `config.mjs`, its schema alone, by which publish and plan refuse a configuration; and `main.mjs`,
   * which a worker thread runs too, told apart by `isMainThread`.
   */
  readonly files: readonly ZipEntry[];
  /** Every source that went into them, by its path from the root. */
  readonly inputs: ReadonlySet<string>;
}

/**
 * Not minified: an uncaught error prints its whole source line into the component's log. ASCII, because V8 keeps the
 * source of a file, and with two bytes a letter where a single letter is beyond Latin-1.
 */
const shared = {
  bundle: true,
  write: false,
  metafile: true,
  format: "esm",
  charset: "ascii",
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
  // Of two forms of a library the one that can be shaken: V8 keeps the source of all that is left.
  mainFields: ["module", "main"],
  // What libraries in CommonJS call when they need Node's own modules or a native one. esbuild does not see these names,
  // so they must be ones that no library gives to anything of its own.
  banner: {
    js: 'import{createRequire as coalmineCreateRequire}from"node:module";const require=coalmineCreateRequire(import.meta.url);',
  },
} satisfies BuildOptions;

/**
 * Bundles one component. `folder` holds `src/component.ts`, `src/main.ts` and `src/config.ts`; paths in the bundles
 * are relative to `root`, so that they do not depend on where the checkout lies.
 */
export async function bundleComponent(root: string, folder: string): Promise<Bundle> {
  const source = (name: string) => join(root, folder, "src", name);
  const parts = [
    await run(root, source("component.ts"), "component.mjs", neutral),
    await run(root, source("config.ts"), "config.mjs", neutral),
    await run(root, source("main.ts"), "main.mjs", {
      ...onNode,
      plugins: [componentBeside(source("component.ts")), nativeModulesPlugin, nodeModulesPlugin],
    }),
  ];
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
