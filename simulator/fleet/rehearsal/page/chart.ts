import type { Chart } from "../report.ts";
import { roundUp, timeTicks } from "./axis.ts";
import { since, table, text, told } from "./html.ts";

const WIDTH = 440;
const HEIGHT = 190;
const LEFT = 46;
const RIGHT = 10;
const TOP = 24;
const BOTTOM = 24;
/** Rows of its table; the line itself has all. */
const ROWS_MAX = 24;

/** Values over time as lines, and as a table for who does not see them. */
export function chartFigure({ title, unit, atMs, series }: Chart): string {
  const fromMs = atMs[0] ?? 0;
  const lengthMs = Math.max(1, (atMs.at(-1) ?? 0) - fromMs);
  const top = roundUp(Math.max(0, ...series.flatMap(({ values }) => values)));
  const x = (at: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * at) / lengthMs;
  const y = (value: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / top;
  const lines = series.map(({ values }, index) => {
    const points = values.map(
      (value, at) => `${x((atMs[at] ?? fromMs) - fromMs).toFixed(1)},${y(value).toFixed(1)}`,
    );
    return `<polyline class="line ${index === 0 ? "first" : "second"}" points="${points.join(" ")}"/>`;
  });
  const heads = series.map(
    ({ name }, index) =>
      `<line class="line ${index === 0 ? "first" : "second"}" x1="${LEFT + index * 140}" x2="${LEFT + 24 + index * 140}" y1="10" y2="10"/><text x="${LEFT + 30 + index * 140}" y="14">${text(name)}</text>`,
  );
  const grid = [0, top / 2, top].map(
    (value) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text class="soft" x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${told(value)}</text>`,
  );
  const times = timeTicks(lengthMs).map(
    (at) =>
      `<text class="soft" x="${x(at).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="middle">${since(0, at)}</text>`,
  );
  const every = Math.ceil(atMs.length / ROWS_MAX);
  const rows = atMs.flatMap((at, index) =>
    index % every === 0 || index === atMs.length - 1
      ? [[since(fromMs, at), ...series.map(({ values }) => told(values[index] ?? 0))]]
      : [],
  );
  const last = series.map(({ name, values }) => `${name} ${told(values.at(-1) ?? 0)}`).join(", ");
  return `<figure>
<figcaption>${text(title)} <span class="soft">(${text(unit)})</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${text(`${title}, in ${unit}, over time; at the end ${last}`)}">
${[...grid, ...times, ...heads, ...lines].join("\n")}
</svg>
<details><summary>${text(title)} as a table</summary>
${table(`${title} as a table`, [{ head: "h:min" }, ...series.map(({ name }) => ({ head: name, isNumber: true }))], rows)}
</details>
</figure>`;
}
