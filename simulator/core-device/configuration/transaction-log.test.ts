import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryRoot } from "../testing/memory-root.ts";
import { COMPACT_AFTER_ENTRIES, TransactionLog, replayed, snapshotOf } from "./transaction-log.ts";
import { ConfigurationTree, interior } from "./tree.ts";

const file = "config/config.tlog";

test("what was written before a kill is there after it [core-device-1.4]", async () => {
  const root = memoryRoot();
  const log = await TransactionLog.open(root, file);
  log.tree.merge(["services", "X"], { version: "1.0.0", configuration: { list: [1, 2], none: null } }, 7);
  log.tree.remove(["services", "X", "configuration", "none"], 8);
  await log.synced();
  const again = await TransactionLog.open(root, file);
  expect(again.tree.root).toEqual(log.tree.root);
});

test("a log cut at any byte holds the state after the last whole line, and takes writes again [core-device-1.5]", async () => {
  const step = fc.record({
    path: fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 2 }),
    value: fc.oneof(fc.nat(3), fc.constant({ é: "ü" })),
    at: fc.nat(5),
    remove: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(2000), async (steps, where) => {
      const root = memoryRoot();
      const log = await TransactionLog.open(root, file);
      const states = [structuredClone(log.tree.root)];
      log.tree.onChange(() => states.push(structuredClone(log.tree.root)));
      for (const { path, value, at, remove } of steps)
        if (remove) log.tree.remove(path, at);
        else log.tree.merge(path, value, at);
      await log.synced();
      const bytes = new TextEncoder().encode((await root.readText(file)) ?? "");
      const cut = where % (bytes.byteLength + 1);
      const lines = bytes.subarray(0, cut).filter((byte) => byte === 10).length;
      root.disk.create(file);
      root.disk.append(file, bytes.subarray(0, cut));
      const again = await TransactionLog.open(root, file);
      expect(again.tree.root).toEqual(states[lines]);
      again.tree.merge(["after"], { cut: 1 }, 9);
      await again.synced();
      expect((await TransactionLog.open(root, file)).tree.root).toEqual(again.tree.root);
    }),
    { numRuns: 150 },
  );
});

test("the log is written anew after 15 000 entries and then holds the present tree only [core-device-1.6]", async () => {
  const root = memoryRoot();
  const log = await TransactionLog.open(root, file);
  for (let count = 0; count <= COMPACT_AFTER_ENTRIES; count++) log.tree.merge(["a"], { count }, count);
  await log.synced();
  expect((await root.readText(file))?.split("\n").length).toBe(3);
  expect((await TransactionLog.open(root, file)).tree.get(["a", "count"])).toBe(COMPACT_AFTER_ENTRIES);
});

test("names with an underscore before them do not reach the disk [core-device-1.7]", async () => {
  const root = memoryRoot();
  const log = await TransactionLog.open(root, file);
  log.tree.merge(["services", "X"], { _State: 4, version: "1.0.0" }, 1);
  await log.synced();
  expect(await root.readText(file)).not.toContain("_State");
});

test("after a refused write nothing is lost once the disk takes writes again [core-device-1.5]", async () => {
  const root = memoryRoot();
  const log = await TransactionLog.open(root, file);
  root.fail = true;
  log.tree.merge(["a"], { b: 1 }, 1);
  await expect(log.synced()).rejects.toThrow("free space");
  root.fail = false;
  await log.synced();
  expect((await TransactionLog.open(root, file)).tree.get(["a", "b"])).toBe(1);
});

test("a snapshot put over another tree gives the snapshot, times included [core-device-1.8]", () => {
  const tree = new ConfigurationTree(interior(""));
  tree.merge(["services"], { X: { version: "1.0.0" }, Y: { a: 1 } }, 10);
  const snapshot = snapshotOf(tree.root);
  tree.merge(["services"], { X: { version: "2.0.0" }, Z: { b: 1 } }, 20);
  tree.remove(["services", "Y"], 21);
  tree.put([], replayed(snapshot).tree.root);
  expect(snapshotOf(tree.root).split("\n").toSorted()).toEqual(snapshot.split("\n").toSorted());
});
