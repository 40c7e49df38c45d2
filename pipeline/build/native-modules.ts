import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { BuildError } from "./build-error.ts";
import type { Platform } from "./platform.ts";
import type { ZipEntry } from "./zip.ts";

interface NativeModule {
  /** The library's own loader, which searches folders at run time. */
  readonly loader: RegExp;
  /** What stands in its place: one `require` of a file beside the bundle. */
  readonly shim: (source: string) => string;
  /** Name beside the bundle → file below `node_modules`, for one platform. */
  readonly files: (platform: Platform) => Readonly<Record<string, string>>;
}

/** Every native module that a component may use. */
const nativeModules: readonly NativeModule[] = [
  {
    loader: /aws-crt\/dist\/native\/binding\.js$/,
    shim: () => `
      const CRuntimeType = Object.freeze({ NON_LINUX: "cruntime", MUSL: "musl", GLIBC: "glibc" });
      exports.__esModule = true;
      exports.CRuntimeType = CRuntimeType;
      exports.cRuntime = CRuntimeType.GLIBC;
      exports.default = require("./aws-crt-nodejs.node");`,
    files: (platform) => ({
      "aws-crt-nodejs.node": `aws-crt/dist/bin/${platform}-glibc/aws-crt-nodejs.node`,
    }),
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

/** An esbuild plugin that makes bundles load native modules from beside themselves. */
export const nativeModulesPlugin: Plugin = {
  name: "native-modules",
  setup(build) {
    for (const { loader, shim } of nativeModules)
      build.onLoad({ filter: loader }, async ({ path }) => ({
        contents: shim(await readFile(path, "utf8")),
        loader: "js",
      }));
    build.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
  },
};

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

function replacedOnce(source: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(source))
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `the loader of a native module has changed: ${String(pattern)} is not in it; adapt its shim to the new version`,
    );
  return source.replace(pattern, () => replacement);
}
