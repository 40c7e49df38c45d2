import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** On a line of 1 Mbit/s it takes half a second. */
export const FIRST_LOAD_KB_MAX = 60;
const KB = 1000;

/** All that a browser loads before it shows a page in one language, and what comes with the first chart. */
export function weighed(folder: string): { readonly first: number; readonly charts: number } {
  const parts = readdirSync(join(folder, "parts"));
  const kB = (names: readonly string[]): number =>
    names.reduce(
      (sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length / KB,
      0,
    );
  const isText = (name: string): boolean => /^(es|pt|it|de)-/.test(name);
  const isChart = (name: string): boolean => name.startsWith("chart-");
  const first = parts.filter((name) => !isText(name) && !isChart(name)).map((name) => `parts/${name}`);
  return {
    first: kB(["index.html", ...first]),
    charts: kB(parts.filter(isChart).map((name) => `parts/${name}`)),
  };
}
