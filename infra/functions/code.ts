import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";

/** The functions' programs: each becomes a file of that name beside the others, which share what they share. */
export const programs = ["commissioning", "controller", "evidence", "operators", "results"] as const;
export type Program = (typeof programs)[number];

const root = join(import.meta.dirname, "..");

/** One bundle for all functions, made once; the runtime brings the AWS SDK. `remove` it when all stacks are made. */
export function bundleFunctions(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "coalmine-lambda-"));
  buildSync({
    entryPoints: programs.map((name) => ({ in: join(root, "handlers", name, "main.ts"), out: name })),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    // Packages in CommonJS ask for Node's own parts by `require`, which a module does not have by itself.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    external: ["@aws-sdk/*"],
    logLevel: "error",
  });
  copyFileSync(join(root, "../pipeline/policy.yaml"), join(folder, "policy.yaml"));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
