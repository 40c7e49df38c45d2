import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EVENT_BYTES_MAX, eventOf, isAtLeast, opensEvent, split, utf8Bytes } from "./log-event.ts";

test("takes time and level of a JSON line", () => {
  expect(eventOf('{"timestamp":1700000000123,"level":"WARN","message":"x"}', 5)).toMatchObject({
    timestampMs: 1_700_000_000_123,
    level: "WARN",
  });
});

test("takes time and level of a plain line, with or without a bracket", () => {
  expect(eventOf("2026-11-23T09:00:00.000Z [INFO] up", 5)).toMatchObject({
    timestampMs: Date.UTC(2026, 10, 23, 9),
    level: "INFO",
  });
  expect(eventOf("[2026-11-23 09:00:00Z] ERROR down", 5)).toMatchObject({
    timestampMs: Date.UTC(2026, 10, 23, 9),
    level: "ERROR",
  });
});

test("falls back to the given time, and keeps a line whose level nobody knows", () => {
  const event = eventOf("what is this", 42);
  expect(event).toMatchObject({ timestampMs: 42, level: undefined });
  expect(isAtLeast(event, "FATAL")).toBe(true);
  expect(isAtLeast(eventOf('{"level":"DEBUG"}', 1), "INFO")).toBe(false);
});

test("a stack trace's lines open no event", () => {
  expect(["    at f (file:///a.mjs:1:2)", "Caused by: y", "}"].map(opensEvent)).toEqual([
    false,
    false,
    false,
  ]);
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
  const parts = split({ message, timestampMs: 1, level: undefined });
  expect(parts.length).toBe(3);
  expect(parts.every((part) => utf8Bytes(part.message) <= EVENT_BYTES_MAX)).toBe(true);
  expect(parts.map((part) => part.message.replace(/^\[part \d+\/\d+\] /, "")).join("")).toBe(message);
});
