import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@coalmine/runtime";
import { afterEach, expect, test } from "vitest";
import { openDiskStore } from "./disk-store.ts";
import type { Store } from "./store.ts";
import { readRecords } from "./wal.ts";

const folders: string[] = [];
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "coalmine-store-"));
  folders.push(path);
  return path;
}
afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true });
});
const open = (path: string, snapshotAfterBytes?: number): Promise<Store> =>
  openDiskStore({
    folder: path,
    log: silentLog,
    ...(snapshotAfterBytes === undefined ? {} : { snapshotAfterBytes }),
  });
/** What a crash leaves: the files, without the lock of a process that is gone. */
async function crashed(from: string): Promise<string> {
  const to = await folder();
  await cp(from, to, { recursive: true });
  await rm(join(to, "lock"), { force: true });
  return to;
}
const contents = (store: Store): [string, unknown][] =>
  [...store.table("t").entries()].map(([k, v]) => [k, v]);

test("what was committed is there after a crash, what was not is not", async () => {
  const path = await folder();
  const store = await open(path);
  store.table("t").set("kept", { n: 1 });
  store.table("t").set("gone", 1);
  store.table("t").delete("gone");
  await store.commit();
  store.table("t").set("late", 2);
  const again = await open(await crashed(path));
  expect(contents(again)).toEqual([["kept", { n: 1 }]]);
  await again.close();
  await store.close();
});

test("a log cut at any byte of its last records starts, with every commit before the cut whole", async () => {
  const path = await folder();
  const store = await open(path);
  const ends: number[] = [];
  for (let commit = 0; commit < 4; commit++) {
    // Two rows a commit: a torn commit must not leave one of them.
    store.table("t").set(`a${commit}`, commit);
    store.table("t").set(`b${commit}`, "x".repeat(commit * 3));
    await store.commit();
    ends.push((await readFile(join(path, "wal-0"))).length);
  }
  await store.close();
  const total = ends.at(-1) ?? 0;
  const torn = await crashed(path);
  const whole = await readFile(join(torn, "wal-0"));
  for (let cut = 0; cut <= total; cut++) {
    await writeFile(join(torn, "wal-0"), whole.subarray(0, cut));
    const again = await open(torn);
    const commits = ends.filter((end) => end <= cut).length;
    expect(contents(again), `cut at ${cut}`).toEqual([
      ...Array.from({ length: commits }, (_, n) => [`a${n}`, n]),
      ...Array.from({ length: commits }, (_, n) => [`b${n}`, "x".repeat(n * 3)]),
    ]);
    // It goes on from there: the next commit is read after the cut.
    again.table("t").set("next", cut);
    await again.commit();
    await again.close();
    const after = await open(torn);
    expect(after.table("t").get("next")).toBe(cut);
    await after.close();
  }
}, 30_000);

test("a flipped bit in the last record drops it, and says so", async () => {
  const path = await folder();
  const store = await open(path);
  store.table("t").set("one", 1);
  await store.commit();
  store.table("t").set("two", 2);
  await store.commit();
  await store.close();
  const bytes = await readFile(join(path, "wal-0"));
  bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
  await writeFile(join(path, "wal-0"), bytes);
  const warnings: unknown[] = [];
  const again = await openDiskStore({
    folder: path,
    log: { ...silentLog, warn: (_message, fields) => warnings.push(fields?.["droppedBytes"]) },
  });
  expect(contents(again)).toEqual([["one", 1]]);
  expect(warnings).toEqual([bytes.length - (await readFile(join(path, "wal-0"))).length]);
  await again.close();
});

test("a snapshot replaces the log, and a damaged one is refused rather than half read", async () => {
  const path = await folder();
  const store = await open(path, 2_000);
  for (let n = 0; n < 200; n++) {
    store.table("t").set(`k${n % 20}`, { n });
    await store.commit();
  }
  await store.close();
  const names = (await readdir(path)).filter((name) => name !== "blobs").sort();
  expect(names.map((name) => name.split("-")[0])).toEqual(["snapshot", "wal"]);
  const again = await open(path);
  expect(contents(again)).toHaveLength(20);
  expect(again.table("t").get("k19")).toEqual({ n: 199 });
  await again.close();
  const snapshot = join(path, names[0] ?? "");
  await truncate(snapshot, (await readFile(snapshot)).length - 3);
  await expect(open(path)).rejects.toThrow("is damaged");
});

test("a crash between a new log and its snapshot reads both logs", async () => {
  const path = await folder();
  const store = await open(path, 300);
  let before = "";
  for (let n = 0; before === ""; n++) {
    store.table("t").set("n", n);
    const copy = await crashed(path);
    await store.commit();
    if ((await readdir(path)).includes("snapshot-1")) before = copy;
  }
  await store.close();
  // As it was when wal-1 had been made and its snapshot had not.
  await cp(join(path, "wal-1"), join(before, "wal-1"));
  await writeFile(join(before, "snapshot-1.part"), "half");
  const again = await open(before);
  expect(typeof again.table("t").get("n")).toBe("number");
  again.table("t").set("m", 1);
  await again.commit();
  await again.close();
  const last = await open(before);
  expect(last.table("t").get("m")).toBe(1);
  await last.close();
});

test("many commits at once share syncs: one record, one sync", async () => {
  const path = await folder();
  const store = await open(path);
  await Promise.all(
    Array.from({ length: 2_000 }, async (_, n) => {
      store.table("t").set(`k${n}`, n);
      await store.commit();
    }),
  );
  let records = 0;
  let rows = 0;
  readRecords(await readFile(join(path, "wal-0")), (mutations) => {
    records++;
    rows += mutations.length;
  });
  expect(rows).toBe(2_000);
  expect(records).toBeLessThan(10);
  await store.close();
});

test("blobs are kept by their content, and a second cloud in the same folder is refused", async () => {
  const path = await folder();
  const store = await open(path);
  const bytes = Buffer.from("model");
  const id = await store.putBlob(bytes);
  expect(await store.putBlob(Buffer.from("model"))).toBe(id);
  expect(Buffer.from(await store.getBlob(id))).toEqual(bytes);
  await expect(open(path)).rejects.toThrow("keeps its cloud there");
  await store.removeBlob(id);
  await expect(store.getBlob(id)).rejects.toThrow("ENOENT");
  await store.close();
  await (await open(path)).close();
});

test("a small blob that was read is remembered until it is removed, a large one never", async () => {
  const path = await folder();
  const store = await open(path);
  const small = Buffer.from("small");
  const [id, large] = [await store.putBlob(small), await store.putBlob(Buffer.alloc(100_000))];
  const fileOf = (blob: string): string => join(path, "blobs", blob.slice(0, 2), blob);
  for (const blob of [id, large]) {
    await store.getBlob(blob);
    await rm(fileOf(blob));
  }
  expect(Buffer.from(await store.getBlob(id))).toEqual(small);
  await expect(store.getBlob(large)).rejects.toMatchObject({ code: "ENOENT" });
  await store.removeBlob(id);
  await expect(store.getBlob(id)).rejects.toMatchObject({ code: "ENOENT" });
  await store.putBlob(small);
  expect(Buffer.from(await store.getBlob(id))).toEqual(small);
  const other = await store.putBlob(Buffer.from("read while it goes"));
  await Promise.allSettled([store.getBlob(other), store.removeBlob(other)]);
  await expect(store.getBlob(other)).rejects.toMatchObject({ code: "ENOENT" });
  await store.close();
});
