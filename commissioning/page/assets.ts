import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import type { Assets } from "./page.ts";

/** Bundles what the browser loads. The shipped program carries the result; here it is made when it starts. */
export async function buildAssets(): Promise<Assets> {
  const client = new URL("./client/", import.meta.url);
  const bundled = await build({
    entryPoints: [new URL("app.tsx", client).pathname],
    bundle: true,
    format: "esm",
    platform: "browser",
    // Phones of the last five years.
    target: ["es2021", "safari15"],
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    legalComments: "none",
    write: false,
  });
  const [script] = bundled.outputFiles;
  if (script === undefined) throw new Error("the page's script was not made");
  const [html, style] = await Promise.all(
    ["index.html", "style.css"].map((name) => readFile(new URL(name, client), "utf8")),
  );
  return { html: html ?? "", style: style ?? "", script: script.text };
}
