import {
  type Alarms,
  type Audit,
  type AuditLog,
  type DevicePage,
  type DeviceRow,
  deviceStates,
  type Fleets,
  type LogLine,
  type LogPage,
  type RehearsalReport,
  type RolloutMetrics,
  type RolloutPage,
  type RolloutSummary,
} from "@coalmine/contract/operator-api";
import { NO_PREVIOUS, storedEntry } from "../pipeline/controller/audit.ts";
import { alarmList } from "./console-alarms.ts";
import {
  age,
  COMMIT,
  metrics,
  MINUTE_MS,
  NOW_MS,
  rollout,
  ROLLOUT,
  waitsForSample,
} from "./console-rollout.ts";

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
/** Of the device whose update waits. */
const WAITING = 1;
const sites = ["st-mary", "north-clinic", "harbour", "old-mill"];

/** What the pages show in tests and pictures: a rollout that waits for a person, in a fleet with every kind of trouble. */
export interface World {
  readonly fleets: Fleets;
  devices: readonly DeviceRow[];
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
  silence(alarm: string, reason: string, forMs: number): Alarms["alarms"][number];
  readonly rehearsals: Omit<RehearsalReport, "seconds" | "checks">[];
  readonly rehearsal: RehearsalReport;
}

export function consoleWorld(count: number): World {
  const devices = Array.from({ length: count }, (_, index) => row(index, count));
  let alarms = alarmList;
  const changeAlarm = (name: string, part: Partial<Alarms["alarms"][number]>) => {
    alarms = alarms.map((one) => (one.alarm === name ? { ...one, ...part } : one));
    const found = alarms.find(({ alarm }) => alarm === name);
    if (found === undefined) throw new Error(`there is no alarm ${name}`);
    return found;
  };
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
      unacknowledged: alarms.filter(
        ({ acknowledged, silenced }) => acknowledged === undefined && silenced === undefined,
      ).length,
    }),
    acknowledge: (name, reason) =>
      changeAlarm(name, { acknowledged: { who: "ada@example.org", atMs: NOW_MS, reason } }),
    silence: (name, reason, forMs) =>
      changeAlarm(name, {
        silenced: { who: "ada@example.org", atMs: NOW_MS, reason, untilMs: NOW_MS + forMs },
      }),
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
  const troubled = deviceStates[index % 9 === 4 ? 1 + ((index * 7) % 5) : 0] ?? "well";
  const state = index === WAITING ? "updating" : troubled;
  return {
    thing: `rheo-${String(index + 1).padStart(4, "0")}`,
    fleet,
    cohort: isCanary ? "canary" : "main",
    state,
    ...(state === "failing" ? { because: "coalmine.Inference BROKEN" } : {}),
    ...(state === "updating" ? { waits: waitsForSample } : {}),
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
