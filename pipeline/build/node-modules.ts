import { isBuiltin } from "node:module";
import type { Plugin } from "esbuild";

const REQUIRED = "required";

/**
 * An esbuild plugin that loads no more of Node than a bundle uses: a module that nobody names after shaking is not
 * loaded, and `node:http` is required, because importing it reads all that it exports, `WebSocket` too, and with that
 * Node loads its whole fetch client.
 */
export const nodeModulesPlugin: Plugin = {
  name: "node-modules",
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z]/ }, ({ path, kind, namespace }) => {
      if (!isBuiltin(path)) return undefined;
      if (namespace !== REQUIRED && kind === "import-statement" && /^(node:)?http$/.test(path))
        return { path: "node:http", namespace: REQUIRED };
      return { path, external: true, sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      loader: "js",
    }));
  },
};
