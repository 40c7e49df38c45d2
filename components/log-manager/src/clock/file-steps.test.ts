import { expect, test } from "vitest";
import { newlyTracked } from "../followed-file.ts";
import { continued, correctedMs, type FileStep, fileStep, STEPS_MAX, withStep } from "./file-steps.ts";

const NOON = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;
const step = (stepMs: number, sure = 100, until = 200): FileStep => ({
  from: 50,
  sure,
  until,
  stepMs,
  oldMs: NOON,
});

test("what surely stood there before the clock was set is corrected, whatever its time; what stood before, and behind, is not", () => {
  for (const stepMs of [400 * 24 * HOUR, -HOUR])
    for (const timeMs of [NOON - 10 * HOUR, NOON, NOON + HOUR]) {
      const at = (offset: number) => correctedMs([step(stepMs)], offset, timeMs, true) - timeMs;
      expect([0, 49, 50, 99, 200].map(at)).toEqual([0, 0, stepMs, stepMs, 0]);
    }
});

test("what perhaps did is told by its own time, whichever way the clock was set", () => {
  for (const stepMs of [61_000, HOUR, 400 * 24 * HOUR, -61_000 * 2, -HOUR]) {
    const by = (timeMs: number) => correctedMs([step(stepMs)], 150, timeMs, true) - timeMs;
    // A minute at most lies between two looks.
    expect([by(NOON - 30_000), by(NOON)]).toEqual([stepMs, stepMs]);
    expect([by(NOON + stepMs), by(NOON + stepMs + 30_000)]).toEqual([0, 0]);
  }
  expect(correctedMs([step(-HOUR)], 150, NOON + 1, true)).toBe(NOON + 1);
});

test("a file's own time is of the later clock where it was written to later, wherever the line stands", () => {
  expect(correctedMs([step(HOUR)], 60, NOON - 5, false)).toBe(NOON - 5 + HOUR);
  expect(correctedMs([step(HOUR)], 60, NOON + HOUR + 5, false)).toBe(NOON + HOUR + 5);
});

test("steps one after the other add up", () => {
  const first = { ...step(5 * HOUR, 100, 100), oldMs: NOON };
  const second = { ...step(-2 * HOUR, 200, 200), oldMs: NOON + 6 * HOUR };
  expect(correctedMs([first, second], 60, NOON - 1, true)).toBe(NOON - 1 + 3 * HOUR);
  expect(correctedMs([first, second], 150, NOON + 5 * HOUR, true)).toBe(NOON + 3 * HOUR);
});

test("a time that no clock shows stays", () => {
  expect(correctedMs([step(-HOUR)], 60, 5, true)).toBe(5);
  expect(correctedMs([step(HOUR)], 60, 8.64e15, true)).toBe(8.64e15);
});

test("nothing is kept of what is in the cloud, or was right; of the rest the newest steps", () => {
  const clockStep = { stepMs: HOUR, oldMs: NOON, wasRight: false };
  const tracked = { ...newlyTracked({ device: "1", inode: "1" }), watchedFrom: 10 };
  expect(fileStep(clockStep, tracked, 0, 10)).toBeUndefined();
  expect(fileStep({ ...clockStep, wasRight: true }, tracked, 0, 20)).toBeUndefined();
  expect(withStep(tracked, { ...clockStep, wasRight: true }, undefined, 20).watchedFrom).toBe(20);
  const made = fileStep(clockStep, tracked, 15, 20);
  expect(made).toEqual({ from: 10, sure: 15, until: 20, stepMs: HOUR, oldMs: NOON });
  const sent = { ...tracked, position: { offset: 20, mark: "", isMidLine: false } };
  expect(withStep(sent, clockStep, made, 20).clockSteps).toEqual([]);
  let many = tracked as ReturnType<typeof withStep>;
  for (let n = 0; n < STEPS_MAX + 3; n++)
    many = withStep(many, clockStep, fileStep(clockStep, many, 0, 20 + n), 20 + n);
  expect(many.clockSteps.map(({ until }) => until)).toEqual(
    Array.from({ length: STEPS_MAX }, (_, n) => 23 + n),
  );
});

test("a copy has its original's steps as far as that was seen, and its own behind", () => {
  const before = { ...step(HOUR, 120, 120), oldMs: NOON - HOUR };
  const after = step(2 * HOUR, 0, 500);
  const steps = continued([before, step(2 * HOUR, 80, 300)], 100, [after]);
  expect(steps.map(({ from, until, stepMs }) => [from, until, stepMs])).toEqual([
    [50, 120, HOUR],
    [50, 100, 2 * HOUR],
    [100, 500, 2 * HOUR],
  ]);
});
