import { expect, test } from "vitest";
import { logStreamName } from "./log-stream-name.ts";

test("a device's stream of a day has the name that log-manager gives it, also where the thing's has a colon", () => {
  const noon = Date.UTC(2026, 10, 28, 12);
  expect(logStreamName(noon, "core-01")).toBe("/2026/11/28/thing/core-01");
  expect(logStreamName(noon, "ward:7")).toBe("/2026/11/28/thing/ward+7");
});
