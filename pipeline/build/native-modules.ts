import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import * as z from "zod";
import { BuildError } from "./build-error.ts";
import type { Platform } from "./platform.ts";
import { readJson } from "./read-json.ts";
import type { ZipEntry } from "./zip.ts";

interface NativeModule {
  /** The library's own loader, which searches folders at run time. */
  readonly loader: RegExp;
  /** What stands in its place: one `require` of a file beside the bundle, or of the one beside Node that all share. */
  readonly shim: (source: string, version: string, from: NativesFrom) => string;
  /** Name beside the bundle → file below `node_modules`, for one platform. */
  readonly files: (platform: Platform) => Readonly<Record<string, string>>;
}

/** Components have the library of the official IPC client beside Node; another program has all its natives itself. */
export type NativesFrom = "beside Node" | "own folder";

/**
 * The official IPC client's library, which every component loads: from one file beside Node its code is in memory once
 * for all of them. The name has the version, so that a component never takes another than it was built and rehearsed
 * with; where that one is not there it says so and takes its own copy.
 */
const sharedName = (version: string): string => `lib/aws-crt-nodejs-${version}.node`;
const crtFile = (platform: Platform): string => `aws-crt/dist/bin/${platform}-glibc/aws-crt-nodejs.node`;

/** What `coalmine.NodeRuntime` has beside `bin/node` for all components. */
export async function sharedNatives(root: string, platform: Platform): Promise<ZipEntry[]> {
  const modules = join(root, "node_modules");
  const bytes = await readFile(join(modules, crtFile(platform)));
  return [{ name: sharedName(versionOf(join(modules, "aws-crt"))), bytes }];
}

const Package = z.object({ version: z.string() });
const versionOf = (folder: string): string => readJson(Package, join(folder, "package.json")).version;

/** Every native module that a component may use. */
const nativeModules: readonly NativeModule[] = [
  {
    loader: /aws-crt\/dist\/native\/binding\.js$/,
    shim: (_, version, from) => `
      ${from === "own folder" ? `const load = () => require("./aws-crt-nodejs.node");` : loadShared(version)}
      const CRuntimeType = Object.freeze({ NON_LINUX: "cruntime", MUSL: "musl", GLIBC: "glibc" });
      exports.__esModule = true;
      exports.CRuntimeType = CRuntimeType;
      exports.cRuntime = CRuntimeType.GLIBC;
      exports.default = load();`,
    files: (platform) => ({ "aws-crt-nodejs.node": crtFile(platform) }),
  },
  {
    loader: /@serialport\/bindings-cpp\/dist\/serialport-bindings\.js$/,
    shim: () => `exports.__esModule = true; exports.binding = require("./serialport-bindings.node");`,
    files: (platform) => ({
      "serialport-bindings.node": `@serialport/bindings-cpp/prebuilds/${platform}/@serialport+bindings-cpp${
        platform === "linux-arm64" ? ".armv8" : ""
      }.glibc.node`,
    }),
  },
  {
    loader: /onnxruntime-node\/dist\/binding\.js$/,
    shim: (source) =>
      replacedOnce(
        source,
        /require\(`[^`]*onnxruntime_binding\.node`\)/,
        `require("./onnxruntime_binding.node")`,
      ),
    files: (platform) => {
      const folder = `onnxruntime-node/bin/napi-v6/${platform.replace("-", "/")}`;
      return {
        "onnxruntime_binding.node": `${folder}/onnxruntime_binding.node`,
        // The binding looks for it in its own folder, by this name.
        "libonnxruntime.so.1": `${folder}/libonnxruntime.so.1`,
      };
    },
  },
];

function loadShared(version: string): string {
  return `
      const { join } = require("node:path");
      const { execPath, stderr } = require("node:process");
      function load() {
        try {
          return require(join(execPath, "../../${sharedName(version)}"));
        } catch (failure) {
          const [why] = String(failure?.message).split("\\n");
          stderr.write("aws-crt ${version} is loaded from the component's own artifact, which takes 7 MiB more: " + why + "; deploy the coalmine.NodeRuntime of the same release to share it\\n");
          return require("./aws-crt-nodejs.node");
        }
      }`;
}

/** An esbuild plugin that makes bundles load native modules from beside themselves, or beside Node. */
export const nativeModulesPlugin = (from: NativesFrom): Plugin => ({
  name: "native-modules",
  setup(build) {
    for (const { loader, shim } of nativeModules)
      build.onLoad({ filter: loader }, async ({ path }) => ({
        contents: shim(await readFile(path, "utf8"), versionOf(packageFolder(path)), from),
        loader: "js",
      }));
    build.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
  },
});

/** The files that bundles made of `inputs` (esbuild's own list of sources) need beside them on `platform`. */
export async function nativeFiles(
  root: string,
  inputs: Iterable<string>,
  platform: Platform,
): Promise<ZipEntry[]> {
  const sources = [...inputs];
  const needed = nativeModules.filter(({ loader }) => sources.some((source) => loader.test(source)));
  return Promise.all(
    needed
      .flatMap(({ files }) => Object.entries(files(platform)))
      .map(async ([name, file]) => ({ name, bytes: await readFile(join(root, "node_modules", file)) })),
  );
}

/** Of a file in `node_modules`: the folder of its package. */
function packageFolder(file: string): string {
  const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
  if (folder === undefined) throw new BuildError("ERR_BUILD_SOURCE", `${file} is in no package; run npm ci`);
  return folder;
}

function replacedOnce(source: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(source))
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `the loader of a native module has changed: ${String(pattern)} is not in it; adapt its shim to the new version`,
    );
  return source.replace(pattern, () => replacement);
}
