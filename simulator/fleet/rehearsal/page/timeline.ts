import type { Lane, LaneState, PlannedFault, ScenarioCourse } from "../report.ts";
import { timeTicks } from "./axis.ts";
import { since, table, text } from "./html.ts";

const WIDTH = 960;
const LEFT = 110;
const RIGHT = 14;
const PHASES = 34;
const ROW = 20;
/** More lanes than can be looked at; those to which something happened come first. */
export const LANES_MAX = 40;

export const stateNames: Readonly<Record<LaneState, string>> = {
  running: "on the running release",
  candidate: "on the candidate",
  between: "changing, or without a whole release",
  "no-link": "without a link",
  "no-power": "without power",
  broken: "with a broken component",
};
/** Of a lane's height: what is less than whole is thinner too. */
const heights: Readonly<Record<LaneState, number>> = {
  running: 12,
  candidate: 12,
  between: 7,
  "no-link": 3,
  "no-power": 12,
  broken: 12,
};

/** Phases above, below them a lane a device; marks are what was broken on purpose (letters) and what broke by itself (✗). */
export function timeline(course: ScenarioCourse): string {
  const { fromMs, toMs, phases, faults } = course;
  const lengthMs = Math.max(1, toMs - fromMs);
  const lanes = shownLanes(course);
  const x = (atMs: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (atMs - fromMs)) / lengthMs;
  const height = PHASES + lanes.length * ROW + 26;
  const bar = (state: LaneState, from: number, to: number, middle: number): string =>
    `<rect class="is-${state}" x="${x(from).toFixed(1)}" width="${Math.max(1, x(to) - x(from)).toFixed(1)}" y="${middle - heights[state] / 2}" height="${heights[state]}"/>`;
  const drawn = [
    ...phases.map(({ what, fromMs: from, toMs: to }, index) => {
      const width = x(to) - x(from);
      const rect = `<rect class="phase" x="${x(from).toFixed(1)}" width="${width.toFixed(1)}" y="4" height="22"><title>${text(what)}</title></rect>`;
      return width < 16
        ? rect
        : `${rect}<text x="${(x(from) + width / 2).toFixed(1)}" y="19" text-anchor="middle">${index + 1}</text>`;
    }),
    ...timeTicks(lengthMs).map((at) => {
      const where = x(fromMs + at).toFixed(1);
      return `<line class="grid" x1="${where}" x2="${where}" y1="${PHASES - 4}" y2="${height - 22}"/><text class="soft" x="${where}" y="${height - 6}" text-anchor="middle">${since(0, at)}</text>`;
    }),
    ...lanes.map((lane, row) => {
      const middle = PHASES + row * ROW + ROW / 2;
      const marks = faultsOf(lane, faults).map(
        ({ letter, at }) =>
          `<line class="fault" x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${middle - 9}" y2="${middle + 9}"/><text class="fault-name" x="${(x(at) + 4).toFixed(1)}" y="${middle - 1}">${letter}</text>`,
      );
      const broke = course.incidents
        .filter(({ thing }) => thing === lane.thing)
        .map(
          ({ atMs }) =>
            `<text class="fault-name" x="${x(atMs).toFixed(1)}" y="${middle + 5}" text-anchor="middle">✗</text>`,
        );
      return `<text x="0" y="${middle + 4}">${text(lane.thing)}</text>${lane.spans.map(({ state, fromMs: from, toMs: to }) => bar(state, from, to, middle)).join("")}${[...marks, ...broke].join("")}`;
    }),
  ];
  const hidden = course.lanes.length - lanes.length;
  const said = `${course.lanes.length} devices over ${since(fromMs, toMs)} hours: ${phases.length} phases, ${faults.length} planted faults; the tables below say the same`;
  return `<div class="timeline wide" tabindex="0" role="region" aria-label="Timeline of ${text(course.name)}">
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${text(said)}">
${drawn.join("\n")}
</svg></div>
${hidden > 0 ? `<p class="soft">${hidden} devices to which nothing was done are not drawn.</p>` : ""}
${legend(course)}
${table(
  `Phases of ${course.name}`,
  [{ head: "Phase" }, { head: "From" }, { head: "To" }, { head: "What happens" }],
  phases.map(({ what, fromMs: from, toMs: to }, index) => [
    String(index + 1),
    since(fromMs, from),
    since(fromMs, to),
    text(what),
  ]),
)}`;
}

/** The letter of a planted fault, as it stands in the timeline and in its table. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + (index % 26)).repeat(Math.floor(index / 26) + 1);
}

function faultsOf(lane: Lane, faults: readonly PlannedFault[]): { letter: string; at: number }[] {
  return faults.flatMap(({ things, fromMs }, index) =>
    things.includes(lane.thing) ? [{ letter: letterOf(index), at: fromMs }] : [],
  );
}

function shownLanes({ lanes, faults, incidents }: ScenarioCourse): readonly Lane[] {
  if (lanes.length <= LANES_MAX) return lanes;
  const isTold = ({ thing }: Lane): boolean =>
    incidents.some((incident) => incident.thing === thing) ||
    faults.some(({ things }) => things.includes(thing));
  return [...lanes.filter(isTold), ...lanes.filter((lane) => !isTold(lane))].slice(0, LANES_MAX);
}

function legend({ lanes }: ScenarioCourse): string {
  const seen = new Set(lanes.flatMap(({ spans }) => spans.map(({ state }) => state)));
  const items = Object.entries(stateNames).flatMap(([name, what]) => {
    const state = [...seen].find((one) => one === name);
    if (state === undefined) return [];
    const swatch = `<rect class="is-${state}" x="1" y="${8 - heights[state] / 2}" width="26" height="${heights[state]}"/>`;
    return [`<li><svg viewBox="0 0 28 16" aria-hidden="true">${swatch}</svg>${text(what)}</li>`];
  });
  return `<ul class="legend">${items.join("")}</ul>`;
}
