import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { live } from "../bench/console/live.ts";
import { FIRST_LOAD_KB_MAX, weighed } from "../bench/console/weight.ts";
import { buildConsole } from "../console/build.ts";
import { browserTest, found } from "./browser.ts";

const folder = mkdtempSync(join(tmpdir(), "console-live-"));
beforeAll(() => buildConsole(folder));
afterAll(async () => {
  if ("browser" in found) await found.browser.close();
  rmSync(folder, { recursive: true });
});

const isLong = process.env["COALMINE_LONG"] === "1";
/** The short form has a few words, of which one that waits for a busy machine is no p95: it looks at the median. */
const size = isLong ? { devices: 1000, rounds: 60 } : { devices: 20, rounds: 3 };

test("what a browser loads before the first page is within its weight, and charts come only with one", () => {
  const { first, charts } = weighed(folder);
  expect(first).toBeLessThanOrEqual(FIRST_LOAD_KB_MAX);
  expect(first).toBeGreaterThan(10);
  expect(charts).toBeGreaterThan(10);
});

browserTest("what a device says is on the page within two seconds", 300_000, async (browser) => {
  const { live: p95, liveMedian } = await live(browser, folder, size, console.log);
  expect((isLong ? p95 : liveMedian)?.value).toBeLessThanOrEqual(2);
});
