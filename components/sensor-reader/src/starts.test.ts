import { nodeCrypto } from "@coalmine/device/crypto";
import { memoryFiles } from "@coalmine/durable-log";
import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { countStart } from "./starts.ts";

const at = (ms: number) => new DrivenClock(ms, async () => undefined);
const DAY = 86_400_000;

test("each start has a larger number, also at once, with a clock that was not set, and after a power cut", async () => {
  const files = memoryFiles();
  const starts: number[] = [];
  for (const ms of [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1), 0, Date.UTC(2026, 0, 1) + DAY]) {
    starts.push(await countStart({ files, crypto: nodeCrypto, clock: at(ms) }));
    files.crash();
  }
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
  expect(new Set(starts).size).toBe(4);
});

test("a work folder that was lost does not bring old numbers back", async () => {
  const before = await countStart({
    files: memoryFiles(),
    crypto: nodeCrypto,
    clock: at(Date.UTC(2026, 0, 1)),
  });
  const after = await countStart({
    files: memoryFiles(),
    crypto: nodeCrypto,
    clock: at(Date.UTC(2026, 0, 2)),
  });
  expect(after).toBeGreaterThan(before);
  expect(after).toBeLessThan(2 ** 31);
});
