import { reportOf } from "./report-of.ts";
import { endedBy } from "./outcome.ts";
import type { LaneState, RehearsalReport, ScenarioCheck, ScenarioCourse } from "./report.ts";

const MINUTE_MS = 60_000;
const fromMs = Date.UTC(2026, 0, 5);
const at = (minutes: number): number => fromMs + minutes * MINUTE_MS;

/** Six devices over three hours, in which one lost its link and one a component for good where `broken` says so. */
function course(broken: boolean): ScenarioCourse {
  const ended: LaneState = broken ? "broken" : "running";
  return {
    name: "upgrade-and-back",
    about: "To the candidate and back.",
    seconds: 12.3,
    fromMs,
    toMs: at(180),
    phases: [
      { what: "What runs now runs", fromMs, toMs: at(60) },
      { what: "Upgrade <while> devices measure", fromMs: at(60), toMs: at(120) },
      { what: "Rollback", fromMs: at(120), toMs: at(180) },
    ],
    faults: [
      { what: "Link cut", things: ["hosted-0002"], fromMs: at(60), toMs: at(70) },
      { what: "S3 is slow", things: [], fromMs: at(90), toMs: at(95) },
    ],
    incidents: broken
      ? [{ atMs: at(125), thing: "hosted-0001", what: "coalmine.Inference 1.0.1 is BROKEN" }]
      : [],
    lanes: Array.from({ length: 6 }, (_, index) => ({
      thing: `hosted-000${index + 1}`,
      spans: [
        { state: "between", fromMs, toMs: at(2) },
        { state: "running", fromMs: at(2), toMs: at(60) },
        { state: index === 1 ? "no-link" : "between", fromMs: at(60), toMs: at(70) },
        { state: "candidate", fromMs: at(70), toMs: at(120) },
        { state: index === 0 ? ended : "running", fromMs: at(120), toMs: at(180) },
      ],
    })),
    charts: [
      {
        title: "Devices",
        unit: "devices",
        atMs: [0, 60, 120, 180].map(at),
        series: [
          { name: "connected", values: [0, 6, 5, 6] },
          { name: "on the candidate", values: [0, 0, 6, 0] },
        ],
      },
    ],
    compared: [{ component: "coalmine.Inference", observed: "runMs", running: 1.2, candidate: 1.26 }],
  };
}

function report(checks: readonly ScenarioCheck[], broken: boolean): RehearsalReport {
  return reportOf({
    commit: "3f2a91c0d4e5",
    atMs: Date.UTC(2026, 0, 5, 12),
    seconds: 17.1,
    seed: "7",
    repeat: "node simulator/fleet/rehearsal/main.ts --seed 7",
    devices: 6,
    components: [{ component: "coalmine.Inference", running: "1.0.0", candidate: "1.0.1" }],
    outcomes: [{ checks, course: course(broken) }],
  });
}

const scenario = "upgrade-and-back";
const held: ScenarioCheck = {
  scenario,
  name: "nothing lost or doubled",
  ok: true,
  found: "900 rows; 0 lost",
};

export const passedReport = report([held], false);
export const failedReport = report(
  [
    held,
    // What a component says of itself is not to be trusted in markup.
    {
      scenario,
      name: "no component broken",
      ok: false,
      found: "coalmine.Inference <1.0.1> & \u0001 on hosted-0001",
    },
  ],
  true,
);
export const unbegunReport = reportOf({
  ...passedReport,
  devices: 6,
  outcomes: [endedBy(new Error("no build was there"))],
});
