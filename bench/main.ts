import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Bench, Metrics } from "./measure.ts";

/** `npm run bench -- NAME [--json]`: runs `bench/NAME/NAME.ts`, which exports `bench`. Each folder here is one. */
const names = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const [name = ""] = positionals;
if (!names.includes(name) || positionals.length > 1) {
  console.error(
    `Usage: npm run bench -- NAME [--json], where NAME is one of ${names.join(", ")}; not "${positionals.join(" ")}"`,
  );
  process.exit(2);
}
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a folder here exports.
const { bench } = (await import(`./${name}/${name}.ts`)) as { bench: Bench };
const metrics = await bench((sentence) => console.error(sentence));
if (values.json)
  console.log(
    JSON.stringify({
      bench: name,
      commit: commit(),
      node: process.version,
      cores: availableParallelism(),
      metrics,
    }),
  );
else table(metrics);

function table(shown: Metrics): void {
  const rows = Object.entries(shown).map(([metric, { value, unit, demand = "", ok }]) => [
    metric,
    value.toPrecision(4),
    unit,
    demand,
    ok === undefined ? "" : ok ? "met" : "NOT MET",
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) =>
          column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    );
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  } catch {
    return "unknown";
  }
}
