import { InstrumentId } from "@coalmine/contract";
import type { Model, ModelError, Models } from "@coalmine/ports";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { Manifest } from "./manifest.ts";
import { Scoring, type ScoringLimits } from "./scoring.ts";
import { ServedModel } from "./served-model.ts";
import type { Window } from "./window.ts";

const manifest = Manifest.parse(
  JSON.parse(readFileSync(new URL("../../../models/blood-viscosity/manifest.json", import.meta.url), "utf8")),
);
const limits: ScoringLimits = { batchWindowsMax: 8, batchAgeMs: 0, deadlineMs: 1000, windowsWaitingMax: 100 };

test("windows = results + failed + pending, at every step, each told of once, whatever workers do", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new SeededRandom(`scoring-${seed}`);
    const { clock, scoring, told } = await scoringOn(
      () => {
        const chance = random.next();
        return chance < 0.1
          ? "MODEL_WORKER_LOST"
          : chance < 0.13
            ? "MODEL_RUN_FAILED"
            : 20 + 200 * random.next();
      },
      { windowsWaitingMax: 30, batchAgeMs: 50 * (seed % 2) },
    );
    let taken = 0;
    for (let step = 0; step < 300; step++) {
      for (let more = Math.floor(random.next() * 6); more > 0; more--)
        scoring.take(windowOf(taken++), scoring.served);
      await clock.runUntil(clock.now() + 30 * random.next());
      expect(told.results.length + told.failed.length + scoring.pending).toBe(taken);
    }
    const stopped = scoring.stop(new AbortController().signal);
    await clock.runUntil(clock.now() + 60_000);
    await stopped;
    const all = [...told.results, ...told.failed.map(({ to }) => to)].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: taken }, (_, to) => to));
    expect(told.results).toEqual(told.results.toSorted((a, b) => a - b));
  }
});

test("a batch fills by count or by age", async () => {
  const { clock, scoring, told } = await scoringOn(() => 10, { batchAgeMs: 100 });
  for (let n = 0; n < 10; n++) scoring.take(windowOf(n), scoring.served);
  await clock.runUntil(clock.now() + 50);
  expect(told.batches).toEqual([8]);
  await clock.runUntil(clock.now() + 70);
  expect(told.batches).toEqual([8, 2]);
});

test("a window that is late has failed as such, before its run or after it", async () => {
  const { clock, scoring, told } = await scoringOn(() => 1500, { batchWindowsMax: 1 });
  for (let n = 0; n < 3; n++) scoring.take(windowOf(n), scoring.served);
  await clock.runUntil(clock.now() + 10_000);
  expect(told.failed.map(({ cause }) => cause)).toEqual(["late", "late", "late"]);
});

test("one window that the model refuses costs no other of its batch its result", async () => {
  const { clock, scoring, told } = await scoringOn((rows) => (rows.includes(3) ? "MODEL_RUN_FAILED" : 1));
  for (let n = 0; n < 8; n++) scoring.take(windowOf(n), scoring.served);
  await clock.runUntil(clock.now() + 100);
  expect(told.results).toEqual([0, 1, 2, 4, 5, 6, 7]);
  expect(told.failed).toEqual([{ to: 3, cause: "model" }]);
});

test("what is cut off by the end of patience has failed as stopped", async () => {
  const { clock, scoring, told } = await scoringOn(() => 500, { batchWindowsMax: 1 });
  for (let n = 0; n < 8; n++) scoring.take(windowOf(n), scoring.served);
  const patience = new AbortController();
  const stopped = scoring.stop(patience.signal);
  await clock.runUntil(clock.now() + 600);
  patience.abort();
  await stopped;
  expect(told.failed.map(({ cause }) => cause)).toEqual(["stopped"]);
});

/** A model whose every run takes as long as `next` says, or fails with the code it says. */
async function scoringOn(
  next: (rows: readonly number[]) => number | ModelError["code"],
  change: Partial<ScoringLimits> = {},
) {
  const clock = new DrivenClock(0, () => new Promise((done) => setImmediate(done)));
  const told = {
    results: [] as number[],
    failed: [] as { to: number; cause: string }[],
    batches: [] as number[],
  };
  const model: Model = {
    inputNames: ["curve"],
    outputNames: ["viscosity", "probabilities"],
    run: async (feeds) => {
      const { data, shape } = feeds["curve"] ?? { data: new Float32Array(), shape: [0] };
      const count = shape[0] ?? 0;
      told.batches.push(count);
      const outcome = next(Array.from({ length: count }, (_, row) => Number(data[row * 42])));
      if (typeof outcome === "string") throw Object.assign(new Error(outcome), { code: outcome });
      await clock.sleep(outcome);
      return {
        viscosity: { type: "float32", data: new Float32Array(count).fill(4), shape: [count, 1] },
        probabilities: { type: "float32", data: new Float32Array(5 * count).fill(0.2), shape: [count, 5] },
      };
    },
    close: async () => undefined,
  };
  const models: Models = {
    open: async () => model,
    prove: async () => [],
    readText: async () => "",
    copyToWork: async () => undefined,
  };
  const served = await ServedModel.open(models, ["model"], manifest);
  const scoring = new Scoring(clock, () => ({ ...limits, ...change }), {
    scored: (batch) => told.results.push(...batch.map(({ window }) => window.to)),
    failed: ({ to }, cause) => told.failed.push({ to, cause }),
    lost: () => undefined,
    insteadOf: () => undefined,
  });
  return { clock, told, scoring: Object.assign(scoring, { served }) };
}

function windowOf(to: number): Window {
  return {
    instrument: InstrumentId.parse("a"),
    boot: 1,
    from: to,
    to,
    sampleTimeMs: 0,
    sampleTimeUncertaintyMs: 0,
    calibrationId: "c",
    quality: { level: "good" },
    input: new Float32Array(42).fill(to),
  };
}
