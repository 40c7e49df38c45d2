import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { MemoryDisk } from "./memory-disk.ts";

test("a folder lists what lies directly in it, and exists by its files or because it was made", () => {
  const disk = new MemoryDisk(new DrivenClock(0, () => Promise.resolve()));
  for (const path of ["top", "logs/b.log", "logs/a.log", "logs/old/c.log", "logs-2/d.log"]) disk.create(path);
  disk.makeFolder("logs/empty/deep");
  expect(disk.list("")).toEqual(["logs", "logs-2", "top"]);
  expect(disk.list("logs")).toEqual(["a.log", "b.log", "empty", "old"]);
  expect(disk.list("log")).toEqual([]);
  const folders = ["logs", "logs/old", "logs/empty/deep", "logs/a.log", "top", "log", "none"];
  expect(folders.filter((path) => disk.isFolder(path))).toEqual(["logs", "logs/old", "logs/empty/deep"]);
  disk.rename("logs/old/c.log", "logs/c.log");
  expect(disk.isFolder("logs/old")).toBe(false);
  expect(disk.list("logs")).toEqual(["a.log", "b.log", "c.log", "empty"]);
});
