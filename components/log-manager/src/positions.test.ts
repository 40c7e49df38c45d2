import { memoryFiles } from "@coalmine/durable-log/memory-files";
import type { Files } from "@coalmine/ports";
import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { newlyTracked } from "./followed-file.ts";
import { Positions } from "./positions.ts";
import type { Tracked } from "./tracked.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const at = (inode: string, offset: number): Tracked => ({
  ...newlyTracked({ device: "1", inode }),
  id: `file ${inode}`,
  position: { offset, mark: "0123456789abcdef", isMidLine: false },
  seenBytes: offset,
});

function given(files: Files = memoryFiles()) {
  const clock = new DrivenClock(0, () => new Promise(setImmediate));
  return { clock, open: () => Positions.open({ files, clock, log }) };
}

/** The disk, with somebody who is told of a call before it is made, and may refuse it. */
function watched(disk: Files, tell: (call: "open" | "write" | "writeDurably", path: string) => void): Files {
  return {
    ...disk,
    open: async (path, mode) => {
      tell("open", path);
      const file = await disk.open(path, mode);
      return {
        ...file,
        write: async (position, bytes) => {
          tell("write", path);
          await file.write(position, bytes);
        },
        writeDurably: async (position, bytes) => {
          tell("writeDurably", path);
          await file.writeDurably(position, bytes);
        },
      };
    },
  };
}

test("a batch a second is one durable append to the journal, and the power undoes none", async () => {
  const disk = memoryFiles();
  const calls: string[] = [];
  const it = given(watched(disk, (call, path) => calls.push(`${call} ${path}`)));
  const positions = await it.open();
  await positions.record("a", [at("1", 100)], true);
  calls.length = 0;
  for (let batch = 2; batch <= 5; batch++) {
    await it.clock.runUntil(it.clock.now() + 1000);
    await positions.record("a", [at("1", 100 * batch)], false);
  }
  expect(calls).toEqual(Array.from({ length: 4 }, () => "writeDurably tracked.journal"));
  disk.crash();
  expect((await it.open()).of("a")).toEqual([at("1", 500)]);
});

test("within a second it waits for its sync, and a process that is killed loses nothing", async () => {
  const disk = memoryFiles();
  const it = given(disk);
  const positions = await it.open();
  await positions.record("a", [at("1", 100)], false);
  await positions.record("a", [at("1", 200)], false);
  await positions.record("b", [at("2", 50)], false);
  const killed = await given(disk).open();
  expect(killed.of("a")).toEqual([at("1", 200)]);
  expect(killed.of("b")).toEqual([at("2", 50)]);
});

test("the power takes what was not synced, and what was synced since is not behind a gap", async () => {
  const disk = memoryFiles();
  const it = given(disk);
  const positions = await it.open();
  await positions.record("a", [at("1", 100)], false);
  await positions.record("b", [at("2", 50)], false);
  // The name of a file is synced before its events go, and all that came before it with it.
  await positions.record("a", [at("1", 100), at("3", 0)], true);
  await positions.record("b", [at("2", 60)], false);
  disk.crash();
  const after = await it.open();
  expect(after.of("a")).toEqual([at("1", 100), at("3", 0)]);
  expect(after.of("b")).toEqual([at("2", 50)]);
});

test("a second after the last batch it is synced though no other comes", async () => {
  const disk = memoryFiles();
  const it = given(disk);
  const positions = await it.open();
  await positions.record("a", [at("1", 100)], false);
  await positions.record("a", [at("1", 200)], false);
  await it.clock.runUntil(1000);
  disk.crash();
  expect((await it.open()).of("a")).toEqual([at("1", 200)]);
});

test("a full journal gives way to one file with all there is, and the power undoes neither", async () => {
  const disk = memoryFiles();
  const it = given(disk);
  let positions = await it.open();
  await positions.record("b", [at("2", 50)], false);
  const journalBytes = (): number => disk.contents().get("tracked.journal")?.length ?? 0;
  let turns = 0;
  for (let batch = 1; turns < 3; batch++) {
    const before = journalBytes();
    await it.clock.runUntil(it.clock.now() + 1000);
    await positions.record("a", [at("1", batch)], false);
    expect(journalBytes()).toBeLessThanOrEqual(256 * 1024);
    if (journalBytes() > before) continue;
    expect(before).toBeGreaterThan(255 * 1024);
    turns++;
    disk.crash();
    positions = await it.open();
    expect(positions.of("a")).toEqual([at("1", batch)]);
    expect(positions.of("b")).toEqual([at("2", 50)]);
  }
});

test("what a full disk refused goes as one file when there is room again", async () => {
  let isFull = false;
  const disk = memoryFiles();
  const it = given(
    watched(disk, (call) => {
      if (isFull && call !== "open") throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
    }),
  );
  const positions = await it.open();
  await positions.record("a", [at("1", 100)], true);
  isFull = true;
  for (const offset of [200, 300]) {
    await it.clock.runUntil(it.clock.now() + 1000);
    await positions.record("a", [at("1", offset)], false);
  }
  expect(positions.failures).toBe(2);
  isFull = false;
  await it.clock.runUntil(it.clock.now() + 1000);
  await positions.record("b", [at("2", 50)], false);
  disk.crash();
  const after = await it.open();
  expect(after.of("a")).toEqual([at("1", 300)]);
  expect(after.of("b")).toEqual([at("2", 50)]);
});
