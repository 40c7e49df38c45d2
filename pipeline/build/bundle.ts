import { existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";
import { BuildError } from "./build-error.ts";
import { nativeModulesPlugin, type NativesFrom } from "./native-modules.ts";
import { nodeModulesPlugin } from "./node-modules.ts";
import type { ZipEntry } from "./zip.ts";

export interface Bundle {
  /**
   * `component.mjs`; `config.mjs`, its schema alone, by which publish and plan refuse a configuration; `main.mjs`, which
   * a worker thread runs too, told apart by `isMainThread`; and its `part-….mjs`, read when they are needed.
   */
  readonly files: readonly ZipEntry[];
  /** Every source that went into them, by its path from the root. */
  readonly inputs: ReadonlySet<string>;
  /** Those of them that something is left of. */
  readonly bundled: ReadonlySet<string>;
}

/** An uncaught error prints its whole source line into the component's log. */
const LINE_LENGTH = 160;

/**
 * V8 keeps the source of a file: without comments and spaces it is a third smaller, and in ASCII half as large as with a
 * single letter beyond Latin-1. Names stay, for those who read a stack.
 */
const shared = {
  bundle: true,
  write: false,
  metafile: true,
  format: "esm",
  charset: "ascii",
  minifyWhitespace: true,
  lineLimit: LINE_LENGTH,
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
  // What is imported when it is needed, such as a service's SDK, is not read before: it lies in a file of its own.
  splitting: true,
  chunkNames: "part-[hash]",
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
      plugins: [
        componentBeside(source("component.ts")),
        nativeModulesPlugin("beside Node"),
        nodeModulesPlugin,
      ],
    }),
  ];
  return {
    files: parts.flatMap(({ entries }) => entries),
    inputs: new Set(parts.flatMap(({ metafile }) => Object.keys(metafile.inputs))),
    bundled: new Set(parts.flatMap(({ metafile }) => bundledOf(metafile))),
  };
}

/** Bundles a program that is no component the way a component's `main.mjs` is. */
export async function bundleProgram(root: string, file: string, natives: NativesFrom): Promise<Bundle> {
  const plugins = [nativeModulesPlugin(natives), nodeModulesPlugin];
  const { entries, metafile } = await run(root, file, "main.mjs", { ...onNode, plugins });
  return {
    files: entries,
    inputs: new Set(Object.keys(metafile.inputs)),
    bundled: new Set(bundledOf(metafile)),
  };
}

function bundledOf({ outputs }: Metafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
}

async function run(
  root: string,
  file: string,
  name: string,
  options: BuildOptions & typeof shared,
): Promise<{ entries: ZipEntry[]; metafile: Metafile }> {
  if (!existsSync(file))
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${file} is missing; every component has src/component.ts, src/config.ts and src/main.ts`,
    );
  const outdir = join(root, "dist");
  const entryPoints = { [basename(name, ".mjs")]: file };
  const outExtension = { ".js": ".mjs" };
  const result = await build({ ...options, absWorkingDir: root, entryPoints, outdir, outExtension });
  const entries = result.outputFiles.map(({ path, contents: bytes }) => {
    const at = bytes.findIndex((byte) => byte > 0x7f);
    if (at >= 0)
      throw new BuildError(
        "ERR_BUILD_SOURCE",
        `the bundle of ${file} is not ASCII: see ${JSON.stringify(new TextDecoder().decode(bytes.subarray(Math.max(0, at - 60), at + 20)))}; write that letter as an escape, or Node holds the file with two bytes a letter`,
      );
    return { name: relative(outdir, path), bytes };
  });
  return { entries, metafile: result.metafile };
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
