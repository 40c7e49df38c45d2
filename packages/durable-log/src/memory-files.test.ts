import { describeWorkFiles } from "@coalmine/device/files-suite";
import { expect, test } from "vitest";
import { text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";

describeWorkFiles("work files in memory", async () => ({ files: memoryFiles(), close: async () => {} }));

test("a crash takes what was not synced, of files and of folders, and nothing else", async () => {
  const files = memoryFiles();
  const file = await files.open("a", "create");
  await file.write(0, text("synced"));
  await file.sync();
  await files.syncFolder("");
  await file.write(0, text("S"));
  await file.write(6, text(" and more"));
  await file.truncate(3);
  await (await files.open("unsynced name", "create")).sync();
  await files.makeFolder("f");
  await files.rename("a", "b");
  files.crash();
  expect(
    new Map([...files.contents()].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])),
  ).toEqual(new Map([["a", "synced"]]));
  expect(files.usedBytes()).toBe(6);
  await expect(file.read(0, 1)).rejects.toMatchObject({ name: "FileError", code: "EIO" });
});

test("what is written durably lasts, and refuses to stand in front of what was written before and does not", async () => {
  const files = memoryFiles();
  const file = await files.open("a", "create");
  await files.syncFolder("");
  await file.writeDurably(0, text("lasts"));
  await file.write(5, text(" not"));
  await expect(file.writeDurably(9, text("!"))).rejects.toThrow("a: sync what was written before");
  files.crash();
  expect([...files.contents().values()].map((bytes) => new TextDecoder().decode(bytes))).toEqual(["lasts"]);
});

test("a name removed without a sync of its folder comes back with its bytes", async () => {
  const files = memoryFiles();
  files.put("f/a", text("kept"));
  await files.remove("f/a");
  expect(await files.list("f")).toEqual([]);
  files.crash();
  expect([...files.contents().keys()]).toEqual(["f/a"]);
  expect(files.usedBytes()).toBe(4);
});

test("beyond its capacity writing is refused, and removing makes room", async () => {
  const files = memoryFiles({ capacityBytes: 10 });
  files.put("a", new Uint8Array(8));
  const file = await files.open("b", "create");
  await expect(file.write(0, new Uint8Array(3))).rejects.toMatchObject({ code: "ENOSPC" });
  expect(await files.freeBytes()).toBe(2);
  await files.remove("a");
  await file.write(0, new Uint8Array(10));
  expect(await files.freeBytes()).toBe(0);
});
