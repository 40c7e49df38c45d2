import type { RehearsalReport, ScenarioCourse } from "../report.ts";
import { chartFigure } from "./chart.ts";
import { mark, since, table, text, told } from "./html.ts";
import { style } from "./style.ts";
import { LANES_MAX, letterOf, stateNames, timeline } from "./timeline.ts";

/** Rows that somebody reads; who wants all has them in the JSON. */
const INCIDENTS_MAX = 30;

/** A report as one file that needs no other, no script and no network. */
export function rehearsalPage(report: RehearsalReport): string {
  const { passed, verdict, checks, scenarios, commit } = report;
  const title = `Rehearsal of ${/^[0-9a-f]{40}$/.test(commit) ? commit.slice(0, 12) : commit}: ${passed ? "passed" : "failed"}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${text(title)}</h1>
<p class="soft">${text(new Date(report.atMs).toISOString().slice(0, 16).replace("T", " "))} UTC, took ${told(report.seconds)} s. Commit <code>${text(commit)}</code>, seed <code>${text(report.seed)}</code></p>
<p class="verdict${passed ? "" : " bad"}"><span class="mark${passed ? "" : " bad"}">${passed ? "✓ passed" : "✗ failed"}</span> ${text(verdict)}</p>
<h2>What to do</h2>
<ol>${report.toDo.map((what) => `<li>${text(what).replace(text(report.repeat), (command) => `<code>${command}</code>`)}</li>`).join("\n")}</ol>
<h2>What must hold</h2>
${table(
  "What must hold",
  [
    { head: "Result" },
    { head: "Check" },
    { head: "Found" },
    ...(scenarios.length > 1 ? [{ head: "Scenario" }] : []),
  ],
  // What fails is what the reader came for.
  [...checks]
    .sort((one, other) => Number(one.ok) - Number(other.ok))
    .map(({ ok, name, found, scenario }) => [
      mark(ok),
      text(name),
      text(found),
      ...(scenarios.length > 1 ? [text(scenario)] : []),
    ]),
)}
<h2>What would change</h2>
${table(
  "What would change",
  [{ head: "Component" }, { head: "Runs now" }, { head: "Candidate" }, { head: "Change" }],
  report.components.map(({ component, running, candidate }) => [
    text(component),
    running === undefined ? "nothing" : text(running),
    text(candidate),
    running === candidate ? "none" : "<strong>changes</strong>",
  ]),
)}
${scenarios.map(scenarioSection).join("\n")}
</main>
</body>
</html>
`;
}

function scenarioSection(course: ScenarioCourse): string {
  const { name, about, fromMs, toMs, seconds, faults, charts } = course;
  return `<section>
<h2>Scenario: ${text(name)}</h2>
<p>${text(about)} <span class="soft">${course.lanes.length} devices, ${since(fromMs, toMs)} simulated hours in ${told(seconds)} s.</span></p>
<h3>Timeline</h3>
${timeline(course)}
<h3>Planted faults</h3>
${
  faults.length === 0
    ? "<p>None.</p>"
    : table(
        `Planted faults of ${name}`,
        [{ head: "Mark" }, { head: "From" }, { head: "To" }, { head: "What" }, { head: "Devices" }],
        faults.map((fault, index) => [
          letterOf(index),
          since(fromMs, fault.fromMs),
          fault.toMs === undefined ? "at once" : since(fromMs, fault.toMs),
          text(fault.what),
          text(fault.things.length === 0 ? "the cloud" : fault.things.join(", ")),
        ]),
      )
}
<h3>What broke on devices</h3>
${brokenTable(course)}
<h3>The fleet at the end</h3>
${fleetAtEnd(course)}
<h3>Over time</h3>
<div class="charts">${charts.map(chartFigure).join("\n")}</div>
${course.compared.length === 0 ? "" : comparison(course)}
</section>`;
}

function brokenTable({ name, fromMs, incidents }: ScenarioCourse): string {
  if (incidents.length === 0) return "<p>Nothing.</p>";
  const hidden = incidents.length - INCIDENTS_MAX;
  return `${table(
    `What broke on devices in ${name}`,
    [{ head: "At" }, { head: "Device" }, { head: "What" }],
    incidents
      .slice(0, INCIDENTS_MAX)
      .map(({ atMs, thing, what }) => [since(fromMs, atMs), text(thing), text(what)]),
  )}${hidden > 0 ? `<p class="soft">${hidden} more are in report.json.</p>` : ""}`;
}

function fleetAtEnd({ lanes }: ScenarioCourse): string {
  const ends = lanes.map(({ thing, spans }) => ({ thing, state: spans.at(-1)?.state ?? "no-power" }));
  const counts = Map.groupBy(ends, ({ state }) => state);
  const sentence = [...counts].map(
    ([state, of]) => `${of.length} ${of.length === 1 ? "device" : "devices"} ${stateNames[state]}`,
  );
  const tiles = ends
    .sort((one, other) => Number(other.state === "broken") - Number(one.state === "broken"))
    .slice(0, LANES_MAX)
    .map(
      ({ thing, state }) =>
        `<li class="on-${state}"><strong>${text(thing)}</strong><br><span class="soft">${text(stateNames[state])}</span></li>`,
    );
  return `<p>${text(sentence.join("; "))}.</p>\n<ul class="fleet">${tiles.join("")}</ul>`;
}

function comparison({ name, compared }: ScenarioCourse): string {
  const shown = (value: number | undefined): string => (value === undefined ? "–" : told(value));
  return `<h3>What devices observed, in the mean</h3>
${table(
  `What devices observed in ${name}`,
  [
    { head: "Component" },
    { head: "Observed" },
    { head: "Runs now", isNumber: true },
    { head: "Candidate", isNumber: true },
    { head: "Ratio", isNumber: true },
  ],
  compared.map(({ component, observed, running, candidate }) => [
    text(component),
    text(observed),
    shown(running),
    shown(candidate),
    running === undefined || candidate === undefined || running === 0
      ? "–"
      : (candidate / running).toFixed(2),
  ]),
)}`;
}
