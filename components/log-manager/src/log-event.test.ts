import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isAtLeast, split, told, utf8Bytes, withEventId } from "./log-event.ts";

test("time and level come from JSON, by number or by text", () => {
  expect(told('{"timestamp":1800000000000,"level":"WARN"}')).toEqual({
    statedMs: 1_800_000_000_000,
    level: "WARN",
  });
  expect(told('{"timestamp":"2026-11-23T09:00:00.5Z","level":"info"}')).toEqual({
    statedMs: Date.UTC(2026, 10, 23, 9, 0, 0, 500),
    level: "INFO",
  });
});

test("time and level come from the nucleus's own lines, and from other dated text, in UTC", () => {
  const nine = { statedMs: Date.UTC(2026, 10, 23, 9), level: "ERROR" };
  expect(told("2026-11-23T09:00:00.000Z [ERROR] (pool-2-thread-1) x: y.")).toEqual(nine);
  expect(told("[2026-11-23 09:00:00Z] ERROR down")).toEqual(nine);
  expect(told("2026-11-23 10:00:00,000+01:00 ERROR down")).toEqual(nine);
  expect(told("2026-11-23 09:00 ERROR down")).toEqual(nine);
});

test("has no time where it says none, and keeps a line whose level nobody knows", () => {
  expect(told("what is this")).toEqual({ statedMs: undefined, level: undefined });
  expect(told('{"timestamp":-5}').statedMs).toBeUndefined();
  expect(told('{"timestamp":1e300}').statedMs).toBeUndefined();
  expect(told('{"level":null}').level).toBeUndefined();
  expect(isAtLeast(undefined, "FATAL")).toBe(true);
  expect(isAtLeast(told('{"level":"DEBUG"}').level, "INFO")).toBe(false);
});

test("a level's own pattern counts for text", () => {
  expect(told("<warn> DEBUG in a sentence", (text) => /<(\w+)>/.exec(text)?.[1]).level).toBe("WARN");
});

test("counts UTF-8 bytes as the encoder does", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      (text) => utf8Bytes(text) === new TextEncoder().encode(text).length,
    ),
  );
});

test("cuts a message that is too long between code points, and loses none", () => {
  const message = "µ°𝄞x".repeat(60_000);
  const parts = split(message, 262_144);
  expect(parts.length).toBe(3);
  expect(parts.every((part) => utf8Bytes(part) + 26 <= 262_144 && part.isWellFormed())).toBe(true);
  expect(parts[1]).toMatch(/^\[part 2\/3\] /);
  expect(parts.map((part) => part.replace(/^\[part \d+\/\d+\] /, "")).join("")).toBe(message);
  expect(split("x".repeat(1_048_576 - 26), 1_048_576)).toHaveLength(1);
});

test("an event id goes into what is one JSON object, and nothing else of it changes", () => {
  expect(withEventId('{"a": 1 }', "e1")).toBe('{"a": 1 ,"eid":"e1"}');
  expect(withEventId("{}", "e1")).toBe('{"eid":"e1"}');
  for (const text of ["plain", "{broken", '{"a":1}\n    at f']) expect(withEventId(text, "e1")).toBe(text);
});
