import { componentNames, Heartbeat } from "@coalmine/contract";
import { expect, test } from "vitest";
import { lookOf } from "./evidence-reader.ts";
import { evidenceRow, type EvidenceRow } from "./row.ts";
import { failureOf, takeRow, totalsOf, type Tally, waitsOf } from "./tally.ts";

const MINUTE = 60_000;
const FROM = 100 * MINUTE;

interface Said {
  readonly minute: number;
  readonly sequence?: number;
  readonly uploaderStartedMs?: number;
  readonly startedMs?: number;
  readonly readings?: number;
  readonly residual?: readonly [number, number];
  readonly ageMs?: number;
  readonly gauges?: Readonly<Record<string, number>>;
}

/** A heartbeat as stream-uploader sends it, in the row that is made of it. */
function beat(thing: string, said: Said): EvidenceRow {
  const { minute, sequence = minute, startedMs = 0, readings = 0, ageMs = 500, gauges = {} } = said;
  const [sum, count] = said.residual ?? [0, 0];
  const health = { version: 1, componentVersion: "1.0.0", gauges: {}, counters: {}, sums: {}, ageMs: 0 };
  const heartbeat = Heartbeat.parse({
    version: 1,
    thing,
    sentMs: minute * MINUTE,
    sequence,
    components: [
      { ...health, component: componentNames.streamUploader, startedMs: said.uploaderStartedMs ?? 0 },
      {
        ...health,
        component: componentNames.sensorReader,
        startedMs,
        counters: { readings },
        gauges,
        sums: { controlResidual: { sum, count } },
        ageMs,
      },
    ],
  });
  return evidenceRow(heartbeat, minute * MINUTE + 100);
}

function tallyOf(...rows: EvidenceRow[]): Tally {
  const tally: Tally = {};
  for (const row of rows) takeRow(tally, row, FROM);
  return tally;
}

const totals = (tally: Tally, minutes: number) => totalsOf(tally["d"], FROM, FROM + minutes * MINUTE);

test("counts what grew since the window began, from where counters stood before it", () => {
  const tally = tallyOf(
    beat("d", { minute: 98, readings: 1000, residual: [5, 10] }),
    beat("d", { minute: 100, readings: 1004, residual: [5.5, 11] }),
    beat("d", { minute: 101, readings: 1008, residual: [5.5, 11] }),
  );
  expect(totals(tally, 3)).toEqual({
    heartbeats: { heard: 2, expected: 3 },
    components: {
      streamUploader: { counters: {}, sums: {} },
      sensorReader: { counters: { readings: 8 }, sums: { controlResidual: { sum: 0.5, count: 1 } } },
    },
  });
});

test("a restarted component counts from zero, and what it counted before its restart stays", () => {
  const tally = tallyOf(
    beat("d", { minute: 99, readings: 1000 }),
    beat("d", { minute: 100, readings: 1010 }),
    beat("d", { minute: 101, readings: 3, startedMs: 101 * MINUTE }),
    beat("d", { minute: 102, readings: 7, startedMs: 101 * MINUTE }),
  );
  expect(totals(tally, 3)?.components.sensorReader?.counters).toEqual({ readings: 17 });
});

test("a device that is first heard of within the window counts from its start, or from what it said first", () => {
  const started = tallyOf(beat("d", { minute: 101, readings: 9, startedMs: FROM + 5 }));
  expect(totals(started, 3)?.components.sensorReader?.counters).toEqual({ readings: 9 });
  const older = tallyOf(beat("d", { minute: 101, readings: 900 }), beat("d", { minute: 102, readings: 905 }));
  expect(totals(older, 3)?.components.sensorReader?.counters).toEqual({ readings: 5 });
});

test("what is told twice or overtaken adds nothing", () => {
  const rows = [99, 100, 101, 102].map((minute) => beat("d", { minute, readings: 4 * minute }));
  const [, first] = rows;
  const once = totals(tallyOf(...rows), 3);
  expect(totals(tallyOf(...rows, rows[3]!, first!), 3)).toEqual(once);
});

test("two heartbeats within one minute are two, and lost ones are lost", () => {
  // Number 2 took the place of number 1 within minute 101, and minute 102 stayed empty.
  const together = tallyOf(
    beat("d", { minute: 100, sequence: 0 }),
    beat("d", { minute: 101, sequence: 2 }),
    beat("d", { minute: 103, sequence: 3 }),
  );
  expect(totals(together, 4)?.heartbeats).toEqual({ heard: 4, expected: 4 });
  const lost = tallyOf(beat("d", { minute: 100, sequence: 0 }), beat("d", { minute: 103, sequence: 3 }));
  expect(totals(lost, 4)?.heartbeats).toEqual({ heard: 2, expected: 4 });
});

test("silence while connected fails, silence after a disconnect does not", () => {
  const at = FROM + 10 * MINUTE;
  const heard = beat("d", { minute: 101 });
  expect(failureOf(tallyOf(heard)["d"], at)).toBe("silent");
  const left: EvidenceRow = {
    source: "connection",
    thing: "d",
    atMs: FROM + 2 * MINUTE,
    connected: false,
    reason: "",
  };
  expect(failureOf(tallyOf(heard, left)["d"], at)).toBeUndefined();
  const back = { ...left, atMs: FROM + 9 * MINUTE, connected: true };
  expect(failureOf(tallyOf(heard, left, back)["d"], at), "it has just come back").toBeUndefined();
  expect(failureOf(tallyOf(heard, left, back)["d"], at + 3 * MINUTE)).toBe("silent");
  expect(failureOf(undefined, at)).toBeUndefined();
});

test("a component that says nothing within a live heartbeat is its own failure", () => {
  const at = 101 * MINUTE + 200;
  expect(failureOf(tallyOf(beat("d", { minute: 101 }))["d"], at)).toBeUndefined();
  expect(failureOf(tallyOf(beat("d", { minute: 101, ageMs: 4 * MINUTE }))["d"], at)).toBe("unhealthy");
});

test("an update is one restart, three restarts within half an hour are a crash loop", () => {
  const starts = [1, 2, 3].map((n) => beat("d", { minute: 100 + n, startedMs: (100 + n) * MINUTE }));
  const before = beat("d", { minute: 100 });
  expect(failureOf(tallyOf(before, starts[0]!)["d"], 104 * MINUTE)).toBeUndefined();
  expect(failureOf(tallyOf(before, ...starts)["d"], 104 * MINUTE)).toBe("crashLoop");
  const later = beat("d", { minute: 140, startedMs: 103 * MINUTE });
  expect(failureOf(tallyOf(before, ...starts, later)["d"], 140 * MINUTE + 200)).toBeUndefined();
});

test("an unhealthy status, a broken component and a failed deployment fail, and health brings it back", () => {
  const status = (healthy: boolean, broken: string[]): EvidenceRow => ({
    source: "fleetStatus",
    thing: "d",
    atMs: FROM + MINUTE,
    healthy,
    broken,
  });
  const live = beat("d", { minute: 102 });
  const at = 102 * MINUTE + 200;
  expect(failureOf(tallyOf(live, status(false, []))["d"], at)).toBe("unhealthy");
  expect(failureOf(tallyOf(live, status(true, ["coalmine.Inference"]))["d"], at)).toBe("unhealthy");
  expect(failureOf(tallyOf(live, status(false, []), status(true, []))["d"], at)).toBeUndefined();
  const job = (atMs: number): EvidenceRow => ({
    source: "job",
    thing: "d",
    atMs,
    jobId: "j",
    status: "FAILED",
    reason: "",
  });
  expect(failureOf(tallyOf(live, job(FROM + 1))["d"], at)).toBe("unhealthy");
  expect(failureOf(tallyOf(live, job(FROM - 1))["d"], at), "before the window").toBeUndefined();
});

test("a look has a pair a device in their order, null for whom nobody ever saw, and silence of whom it knows", () => {
  const tally = tallyOf(
    beat("b", { minute: 99, readings: 10 }),
    beat("b", { minute: 100, readings: 14 }),
    beat("gone", { minute: 97, readings: 50 }),
    { source: "job", thing: "b", atMs: FROM + 5, jobId: "j", status: "IN_PROGRESS", reason: "" },
  );
  const look = lookOf(
    tally,
    { fromMs: FROM, toMs: FROM + 2 * MINUTE },
    { things: ["never", "b", "gone"], canary: ["never", "b"], onCandidate: new Set() },
    [
      { name: "alive", of: "heartbeats" },
      { name: "readings", of: { component: "sensorReader", counter: "readings", per: "heartbeats" } },
    ],
  );
  expect(look).toEqual({
    elapsedMs: 2 * MINUTE,
    values: { alive: [null, [1, 2], [0, 2]], readings: [null, [4, 2], null] },
    updated: ["b"],
    failing: [{ thing: "gone", how: "silent" }],
  });
});

test("what an update waits for is told by the age of the news, and only while it waits and is heard of [rollout-8.4]", () => {
  const busy = { sampleMs: 40_000, updateWaitsMs: 10_000 };
  const saidMs = 101 * MINUTE + 100 - 500;
  const waits = { for: "sample", sinceMs: saidMs - 40_000, updateSinceMs: saidMs - 10_000 };
  const tally = tallyOf(
    { source: "job", thing: "d", atMs: 100 * MINUTE, jobId: "1", status: "IN_PROGRESS", reason: "" },
    beat("d", { minute: 101, gauges: busy }),
  );
  expect(waitsOf(tally["d"], 102 * MINUTE)).toEqual(waits);
  expect(waitsOf(tally["d"], 105 * MINUTE)).toBeUndefined();
  takeRow(
    tally,
    { source: "job", thing: "d", atMs: 102 * MINUTE, jobId: "1", status: "SUCCEEDED", reason: "" },
    FROM,
  );
  expect(waitsOf(tally["d"], 102 * MINUTE)).toBeUndefined();
  const other = tallyOf(
    beat("d", { minute: 101, gauges: busy }),
    beat("d", { minute: 102, gauges: { sampleMs: 9000, updateWaitsMs: 0 } }),
  );
  expect(waitsOf(other["d"], 102 * MINUTE)).toBeUndefined();
});
