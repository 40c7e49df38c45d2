import {
  type Alarms,
  type Audit,
  type AuditLog,
  type DevicePage,
  type DeviceRow,
  deviceStates,
  type Fleets,
  type Level,
  type LogLine,
  type LogPage,
  type MetricSeries,
  type RehearsalReport,
  type RolloutMetrics,
  type RolloutPage,
  type RolloutSummary,
} from "@coalmine/contract/operator-api";
import { NO_PREVIOUS, storedEntry } from "../pipeline/controller/audit.ts";

const NOW_MS = Date.UTC(2026, 10, 27, 14, 20);
const MINUTE_MS = 60_000;
const ROLLOUT = "r-20261127-1402-9f3ac1";
const COMMIT = "9f3ac1d07b55e2aa41c07e6a0d2f9b1c33e8d410";
const age = (ageMs: number, stale = false) => ({ atMs: NOW_MS - ageMs, ageMs, stale });
const sets = {
  "1.4.2": {
    "coalmine.SensorReader": "1.4.2",
    "coalmine.Inference": "2.0.3",
    "coalmine.StreamUploader": "1.1.0",
  },
  "1.5.0": {
    "coalmine.SensorReader": "1.5.0",
    "coalmine.Inference": "2.0.3",
    "coalmine.StreamUploader": "1.1.0",
  },
};
const sites = ["st-mary", "north-clinic", "harbour", "old-mill"];

/** What the pages show in tests and pictures: a rollout that waits for a person, in a fleet with every kind of trouble. */
export interface World {
  readonly fleets: Fleets;
  readonly devices: readonly DeviceRow[];
  readonly sets: typeof sets;
  device(thing: string): DevicePage;
  logs(before?: string): LogPage;
  /** Lines that come once somebody follows. */
  readonly fresh: readonly LogLine[];
  readonly rollouts: RolloutSummary[];
  rollout: RolloutPage;
  metrics: RolloutMetrics;
  readonly audit: Audit;
  alarms(): Alarms;
  acknowledge(alarm: string, reason: string): Alarms["alarms"][number];
  readonly rehearsals: Omit<RehearsalReport, "seconds" | "checks">[];
  readonly rehearsal: RehearsalReport;
}

export function consoleWorld(count: number): World {
  const devices = Array.from({ length: count }, (_, index) => row(index, count));
  let alarms = alarmList;
  return {
    fleets: { fleets: [fleetOf("home", devices), fleetOf("driven", devices)] },
    devices,
    sets,
    device: (thing) => devicePage(devices.find((one) => one.thing === thing) ?? row(0, count)),
    logs: (before) =>
      before === undefined
        ? { lines: lines(-120, 120), cursor: "c-0", earlier: true }
        : { lines: lines(-160, 40), cursor: "c-0", earlier: false },
    fresh: lines(0, 6),
    rollouts: [
      { rollout: ROLLOUT, commit: COMMIT, startedMs: NOW_MS - 78 * MINUTE_MS, phase: "awaitingPromotion" },
      {
        rollout: "r-20261126-0911-41be07",
        commit: "41be070011",
        startedMs: NOW_MS - 29 * 60 * MINUTE_MS,
        phase: "done",
        outcome: "halted",
        because: "windows failed on 3 of 6 canaries, and on none of 34 others (p = 0.0004)",
      },
      {
        rollout: "r-20261124-1630-0c88d2",
        commit: "0c88d20011",
        startedMs: NOW_MS - 70 * 60 * MINUTE_MS,
        phase: "done",
        outcome: "promoted",
      },
    ],
    rollout,
    metrics,
    audit,
    alarms: () => ({
      alarms,
      unacknowledged: alarms.filter(({ acknowledged }) => acknowledged === undefined).length,
    }),
    acknowledge(name, reason) {
      alarms = alarms.map((one) =>
        one.alarm === name ? { ...one, acknowledged: { who: "ada@example.org", atMs: NOW_MS, reason } } : one,
      );
      const found = alarms.find(({ alarm }) => alarm === name);
      if (found === undefined) throw new Error(`there is no alarm ${name}`);
      return found;
    },
    rehearsals: [
      { commit: COMMIT, atMs: NOW_MS - 90 * MINUTE_MS, passed: true, verdict: "12 of 12 checks hold" },
      {
        commit: "41be070011aa",
        atMs: NOW_MS - 1800 * MINUTE_MS,
        passed: false,
        verdict: "1 of 12 checks fails",
      },
    ],
    rehearsal: {
      commit: COMMIT,
      atMs: NOW_MS - 90 * MINUTE_MS,
      passed: false,
      verdict: "1 of 3 checks fails",
      seconds: 61,
      checks: [
        { name: "upgrade from what runs", ok: true, found: "20 of 20 devices report 1.5.0" },
        { name: "nothing lost, nothing doubled", ok: true, found: "9,600 of 9,600 readings" },
        { name: "rollback", ok: false, found: "19 of 20 devices report 1.4.2 after 5 min: sim-07 does not" },
      ],
    },
  };
}

function row(index: number, count: number): DeviceRow {
  const fleet = index < count / 2 ? "home" : "driven";
  const isCanary = index % (count / 2) < Math.max(3, count / 20);
  // Mostly well, as fleets are.
  const state = deviceStates[index % 9 === 4 ? 1 + ((index * 7) % 5) : 0] ?? "well";
  return {
    thing: `rheo-${String(index + 1).padStart(4, "0")}`,
    fleet,
    cohort: isCanary ? "canary" : "main",
    state,
    ...(state === "failing" ? { because: "coalmine.Inference BROKEN" } : {}),
    ...(state === "unseen"
      ? {}
      : { seen: age(state === "silent" ? 9 * MINUTE_MS : 4000 + ((index * 977) % 50_000)) }),
    site: sites[index % sites.length] ?? "",
    set: isCanary ? "1.5.0" : "1.4.2",
  };
}

function counts(rows: readonly DeviceRow[]): Fleets["fleets"][number]["byState"] {
  const of = (state: DeviceRow["state"]): number => rows.filter((one) => one.state === state).length;
  return {
    well: of("well"),
    updating: of("updating"),
    offline: of("offline"),
    silent: of("silent"),
    failing: of("failing"),
    unseen: of("unseen"),
  };
}

function fleetOf(fleet: string, all: readonly DeviceRow[]): Fleets["fleets"][number] {
  const rows = all.filter((one) => one.fleet === fleet);
  const cohort = (name: DeviceRow["cohort"]): DeviceRow[] => rows.filter((one) => one.cohort === name);
  const canary = cohort("canary");
  const main = cohort("main");
  return {
    fleet,
    region: fleet === "home" ? "eu-central-1" : "eu-west-1",
    seen: age(4000),
    nowMs: NOW_MS,
    devices: rows.length,
    byState: counts(rows),
    groups: [
      {
        group: `coalmine-canary-${fleet}`,
        cohort: "canary",
        devices: canary.length,
        byState: counts(canary),
        inForce: {
          deployment: "d-81",
          revision: "12",
          sinceMs: NOW_MS - 70 * MINUTE_MS,
          components: sets["1.5.0"],
        },
      },
      {
        group: `coalmine-main-${fleet}`,
        cohort: "main",
        devices: main.length,
        byState: counts(main),
        inForce: {
          deployment: "d-80",
          revision: "31",
          sinceMs: NOW_MS - 9000 * MINUTE_MS,
          components: sets["1.4.2"],
        },
      },
    ],
    installed: [
      { component: "coalmine.SensorReader", version: "1.5.0", canary: canary.length, main: 0, drifted: 0 },
      { component: "coalmine.SensorReader", version: "1.4.2", canary: 0, main: main.length, drifted: 0 },
      {
        component: "coalmine.Inference",
        version: "2.0.3",
        canary: canary.length,
        main: main.length - 1,
        drifted: 0,
      },
      { component: "coalmine.Inference", version: "2.0.1", canary: 0, main: 1, drifted: 1 },
    ],
    ...(fleet === "home" ? { rollout: ROLLOUT } : {}),
  };
}

function devicePage(one: DeviceRow): DevicePage {
  return {
    ...one,
    nowMs: NOW_MS,
    registered: {
      attributes: { site: one.site ?? "", room: "cellar-2", serial: "RH4-00211" },
      groups: [`coalmine-${one.cohort}-${one.fleet}`],
      certificates: [{ id: "7c1de2a94b6f00c1d2", status: "ACTIVE" }],
    },
    nucleus: { version: "2.15.0", platform: "linux", architecture: "aarch64", status: "HEALTHY" },
    components: [
      {
        component: "coalmine.SensorReader",
        version: "1.5.0",
        asked: "1.5.0",
        status: "RUNNING",
        seen: age(4000),
        startedMs: NOW_MS - 70 * MINUTE_MS,
      },
      {
        component: "coalmine.Inference",
        version: "2.0.1",
        asked: "2.0.3",
        status: "BROKEN",
        seen: age(3 * MINUTE_MS, true),
      },
      {
        component: "coalmine.StreamUploader",
        version: "1.1.0",
        asked: "1.1.0",
        status: "RUNNING",
        seen: age(4000),
      },
    ],
    connection: { connected: true, seen: age(4000) },
    job: { status: "SUCCEEDED", seen: age(69 * MINUTE_MS) },
    selfTests: [
      {
        atMs: NOW_MS - 3000 * MINUTE_MS,
        who: "bo",
        passed: true,
        ports: [
          {
            port: "/dev/serial/by-id/rheo",
            passed: true,
            sentence: "rheo-1 answers; 20 readings, noise 0.2 %.",
          },
        ],
      },
      {
        atMs: NOW_MS - 3020 * MINUTE_MS,
        who: "bo",
        passed: false,
        ports: [
          {
            port: "/dev/serial/by-id/rheo",
            passed: false,
            sentence: "Nothing answers: transmit and receive are swapped. Swap A and B.",
          },
        ],
      },
    ],
    history: [
      { atMs: NOW_MS - 3000 * MINUTE_MS, kind: "commissioned", sentence: "Commissioned by bo at st-mary." },
      {
        atMs: NOW_MS - 70 * MINUTE_MS,
        kind: "deployment",
        sentence: "Took revision 12 of its canary group.",
      },
    ],
    commissioningRecord: `/api/devices/${one.thing}/commissioning`,
    rollout: ROLLOUT,
  };
}

function lines(from: number, count: number): LogLine[] {
  return Array.from({ length: count }, (_, index) => {
    const at = from + index;
    const isOdd = at % 11 === 0;
    return {
      cursor: `c${at}`,
      atMs: NOW_MS + at * 5000,
      component: isOdd ? "coalmine.Inference" : "coalmine.SensorReader",
      level: isOdd ? "WARN" : "INFO",
      message: isOdd
        ? `window ${5000 + at} is short of 3 of 20 points; it waits for the next reading`
        : `reading ${4100 + at}: 4.1 mPa.s at 37.0 °C, acknowledged in 11 ms`,
    };
  });
}

const waves = (number: number, share: number): RolloutPage["stages"][number] => ({
  stage: "wave",
  wave: { number, share },
  state: "next",
  targets: [],
});
const deadline = (name: string, inMs: number, afterwards: string) => ({
  name,
  atMs: NOW_MS + inMs,
  inMs,
  afterwards,
});
const stuck = {
  thing: "rheo-0003",
  stage: "download of artifacts",
  ageMs: 14 * MINUTE_MS,
  next: "Its link is slow: it has 71 % and goes on by itself; the deadline is in 46 min.",
};
const diff = {
  added: [{ name: "coalmine.model.BloodViscosity", to: "3.1.0" }],
  changed: [{ name: "coalmine.SensorReader", from: "1.4.2", to: "1.5.0" }],
  reconfigured: ["coalmine.Inference"],
  removed: [],
  unchanged: ["coalmine.StreamUploader", "coalmine.LogManager", "coalmine.NodeRuntime"],
};
const nothing = { added: [], changed: [], reconfigured: [], removed: [], unchanged: [] };

const rollout: RolloutPage = {
  rollout: ROLLOUT,
  commit: COMMIT,
  startedMs: NOW_MS - 78 * MINUTE_MS,
  phase: "awaitingPromotion",
  state: "state-0",
  ageMs: 78 * MINUTE_MS,
  targets: ["home", "driven"].map((target) => ({
    target,
    nowMs: NOW_MS,
    sinceMs: NOW_MS - 4 * MINUTE_MS,
    devices: { all: 40, canary: 6, exposed: 6 },
    byVersion: { candidate: 6, base: 34 },
    groups: [`coalmine-canary-${target}`, `coalmine-main-${target}`],
    verdict: {
      verdict: "PROMOTE" as const,
      because: "no metric is worse than its margin",
      elapsedMs: 42 * MINUTE_MS,
    },
  })),
  outstanding: [],
  overrides: [],
  next: "Promote it, or roll it back.",
  why: [
    "It waits for a person since 14:16: every target's verdict is PROMOTE.",
    "home, PROMOTE after 42 min: no metric is worse than its margin.",
    'driven advises: "run time" is 1.04 times the baseline (p = 0.03), and may not halt; weigh it before you promote.',
  ],
  headline: "The canary is well after 42 min on 12 of 80 devices: it waits for you to promote it.",
  seen: { home: age(4000), driven: age(21_000) },
  stages: [
    { stage: "planned", state: "done", targets: [] },
    {
      stage: "canary",
      state: "done",
      targets: ["home", "driven"].map((target) => ({
        target,
        devices: 6,
        arrived: 6,
        progress: 1,
        stuck: [],
      })),
    },
    {
      stage: "soak",
      state: "done",
      targets: ["home", "driven"].map((target) => ({
        target,
        devices: 6,
        arrived: 6,
        progress: 1,
        stuck: [],
      })),
    },
    {
      stage: "promotion",
      state: "now",
      targets: [
        {
          target: "home",
          devices: 6,
          arrived: 5,
          progress: 0.3,
          deadline: deadline("decision", 46 * MINUTE_MS, "it is rolled back"),
          stuck: [stuck],
        },
        {
          target: "driven",
          devices: 6,
          arrived: 6,
          progress: 0.3,
          deadline: deadline("decision", 46 * MINUTE_MS, "it is rolled back"),
          stuck: [],
        },
      ],
    },
    waves(1, 0.1),
    waves(2, 0.5),
    waves(3, 1),
    { stage: "verify", state: "next", targets: [] },
  ],
  choices: [
    {
      decision: "promote",
      reach: 68,
      targets: ["home", "driven"].map((target) => ({ target, reach: 34, of: 40, diff })),
      afterwards: "The first wave takes 10 % of each fleet; each wave is watched before the next.",
    },
    {
      decision: "hold",
      reach: 0,
      targets: [],
      afterwards: "It stays as it is until somebody lets it go on.",
    },
    {
      decision: "resume",
      refusedBecause: "it is not held",
      reach: 0,
      targets: [],
      afterwards: "It goes on from where it was held.",
    },
    {
      decision: "rollback",
      reach: 12,
      targets: ["home", "driven"].map((target) => ({
        target,
        reach: 6,
        of: 40,
        diff: { ...nothing, changed: [{ name: "coalmine.SensorReader", from: "1.5.0", to: "1.4.2" }] },
      })),
      afterwards: "Every canary goes back to 1.4.2, and has to report it.",
    },
  ],
};

function level(value: number, spread: number, devices: number): Level {
  return { level: value, low: value - spread, high: value + spread, devices };
}
function series(
  metric: string,
  base: number,
  ratio: number,
  more: Partial<MetricSeries> & Pick<MetricSeries, "status" | "sentence">,
  gap: readonly number[] = [],
): MetricSeries {
  return {
    metric,
    kind: "mean",
    direction: "up",
    role: "halting",
    limit: { above: base * 1.35 },
    minEffect: 1.2,
    margin: 1.1,
    p: 0.41,
    ratio,
    ratioLow: ratio - 0.03,
    ratioHigh: ratio + 0.03,
    looks: Array.from({ length: 21 }, (_, index) => {
      const wave = base * 0.03 * Math.sin(index * 1.3);
      return {
        atMs: NOW_MS - (21 - index) * 2 * MINUTE_MS,
        canary: gap.includes(index) ? null : level(base * ratio + wave, base * 0.06, 6),
        baseline: gap.includes(-index) && index > 0 ? null : level(base - wave / 2, base * 0.025, 34),
      };
    }),
    ...more,
  };
}

const metrics: RolloutMetrics = {
  rollout: ROLLOUT,
  targets: [
    {
      target: "home",
      seen: age(4000),
      judgedBy: "comparison",
      arms: { canary: 6, baseline: 34 },
      metrics: [
        series(
          "run time (ms)",
          41,
          1.04,
          {
            status: "notEnough",
            role: "advisory",
            sentence:
              "Run time 42.6 ms vs 41.0 ms, difference +4 % (+1 … +7), allowed +10 %: not enough evidence yet.",
          },
          [8, 9, 10, -15, -16],
        ),
        series("sample time (s)", 4, 1.02, {
          status: "fine",
          sentence: "Sample time 4.1 s vs 4.0 s, difference +2 % (−1 … +5), allowed +10 %: fine.",
        }),
        series("windows failed", 0.01, 0.98, {
          status: "fine",
          kind: "ratio",
          sentence: "Windows failed 0.98 % vs 1 %, difference −2 % (−5 … +1), allowed +10 %: fine.",
        }),
      ],
    },
    {
      target: "driven",
      seen: age(21_000),
      judgedBy: "limits",
      arms: { canary: 6, baseline: 34 },
      metrics: [
        series("sample time (s)", 4, 1.01, {
          status: "fine",
          sentence: "Sample time 4.04 s, limit 5.4 s: fine.",
        }),
      ],
    },
  ],
};

const alarmList: Alarms["alarms"] = [
  {
    alarm: "stuck-1",
    kind: "stuckRollout",
    fleet: "home",
    sinceMs: NOW_MS - 14 * MINUTE_MS,
    seen: age(4000),
    sentence: `rheo-0003 is stuck in the download of artifacts of ${ROLLOUT} for 14 min.`,
    next: "Look at its link; it goes on by itself until the deadline.",
    link: `/rollouts/${ROLLOUT}`,
  },
  {
    alarm: "claim-1",
    kind: "claimRefused",
    sinceMs: NOW_MS - 300 * MINUTE_MS,
    seen: age(300 * MINUTE_MS),
    sentence: "The claim code of RH4-00198 was shown a second time, from another device.",
    next: "Ask the site who has it.",
    link: "/devices/rheo-0002",
    acknowledged: {
      who: "bo",
      atMs: NOW_MS - 200 * MINUTE_MS,
      reason: "The site knows: the board was swapped",
    },
  },
];

const stored = (() => {
  let previous = NO_PREVIOUS;
  return Array.from({ length: 5 }, (_, sequence) => {
    const atMs = NOW_MS - (60 - sequence) * MINUTE_MS;
    const record = { kind: "told" as const, evidence: [], now: { home: atMs } };
    const entry = storedEntry({ rollout: ROLLOUT, sequence, previous, atMs, record });
    previous = entry.sha256;
    return entry;
  });
})();
const audit: Audit = {
  rollout: ROLLOUT,
  ok: true,
  entries: stored.map(({ sequence, text, sha256 }) => ({
    sequence,
    text,
    sha256,
    kind: "told",
    atMs: NOW_MS,
  })),
};

export function auditLog(text: string): AuditLog {
  const lines: AuditLog["lines"] = [
    {
      rollout: ROLLOUT,
      sequence: 4,
      atMs: NOW_MS - 30 * MINUTE_MS,
      kind: "resumed",
      who: "bo",
      reason: "Looked at: nothing is wrong",
      sentence: "let it go on.",
    },
    {
      rollout: ROLLOUT,
      sequence: 3,
      atMs: NOW_MS - 35 * MINUTE_MS,
      kind: "held",
      who: "bo",
      reason: "I want to look closer",
      sentence: "held it.",
    },
    {
      rollout: ROLLOUT,
      sequence: 2,
      atMs: NOW_MS - 60 * MINUTE_MS,
      kind: "deploymentCreated",
      sentence: "told coalmine-canary-home to take revision 12.",
    },
  ];
  return {
    lines: lines.filter((line) => JSON.stringify(line).includes(text)),
    verified: [{ rollout: ROLLOUT, ok: true, entries: stored.length, head: stored.at(-1)?.sha256 ?? "" }],
    more: false,
  };
}
