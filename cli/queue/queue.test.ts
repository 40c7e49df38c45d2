import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { workFiles } from "@coalmine/device/work-files";
import { DurableLog, type LogKeys } from "@coalmine/durable-log";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCommand, type Ran } from "../command.fixture.ts";
import { exitCodes } from "../exit-codes.ts";
import { places } from "../system/state.ts";
import { addQueueCommands } from "./commands.ts";

const KEY = new Uint8Array(32).fill(3);
let state: string;
let root: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "queue-"));
  root = join(state, "state/fleet/p1/root", "work", "coalmine.StreamUploader");
  mkdirSync(root, { recursive: true });
});
afterEach(() => {
  rmSync(state, { recursive: true, force: true });
});

function openLog(keys?: LogKeys): Promise<DurableLog> {
  return DurableLog.open({
    files: workFiles(root, systemClock),
    clock: systemClock,
    crypto: nodeCrypto,
    folder: "log",
    segmentBytes: 4096,
    ...(keys === undefined ? {} : { keys }),
  });
}
async function fill(records: number, keys?: LogKeys): Promise<void> {
  const log = await openLog(keys);
  for (let at = 1; at <= records; at++)
    await log.append(new TextEncoder().encode(`reading ${at} ${"r".repeat(100)}`));
  await (await log.cursor("lake")).advance(5);
  await log.close();
}
/** What the reader itself tells. */
async function readByLog(): Promise<{ numbers: number[]; missing: number }> {
  const log = await openLog();
  const numbers: number[] = [];
  let missing = 0;
  for await (const { records, gaps } of log.read(log.first)) {
    numbers.push(...records.map(({ sequence }) => sequence));
    missing += gaps.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }
  await log.close();
  return { numbers, missing };
}
function damage(segment: number, from: number, to: number): void {
  const names = readdirSync(join(root, "log")).filter((name) => name.endsWith(".seg"));
  const path = join(root, "log", names[segment] ?? "");
  const bytes = readFileSync(path);
  bytes.fill(0, from, to);
  writeFileSync(path, bytes);
}
function snapshot(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(join(root, "log"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), "base64")]),
  );
}

const queue = (...words: string[]): Promise<Ran> =>
  runCommand(
    (program) => addQueueCommands(program, places(state, { COALMINE_STATE: state })),
    "queue",
    ...words,
  );
const parsed = (out: string): Record<string, unknown> => {
  const value: unknown = JSON.parse(out);
  expect(value).toBeInstanceOf(Object);
  return value as Record<string, unknown>;
};

test("ls finds the queues of process devices by thing name, and takes any folder", async () => {
  await fill(60);
  const expected = { records: 60, missing: 0, first: 1, last: 60, isSound: true, isInUse: false };
  const found = parsed((await queue("ls", "--json")).out);
  expect(found).toMatchObject([{ name: "p1", ...expected, cursors: [{ name: "lake", done: 5 }] }]);
  expect(parsed((await queue("ls", "--json", "--folder", join(root, "log"))).out)).toMatchObject([expected]);
  expect((await queue("ls")).out).toContain("p1  60 records");
  expect(await queue("ls", "p2")).toMatchObject({
    code: exitCodes.conflict,
    err: expect.stringContaining("p1"),
  });
});

test("verify, repair and the reader agree on planted damage [durable-log-7.1] [durable-log-7.2]", async () => {
  await fill(100);
  damage(0, 500, 900);
  damage(1, 0, 64);
  damage(2, 3700, 3900);
  const before = snapshot();
  const verified = await queue("verify", "p1", "--json");
  expect(verified.code).toBe(exitCodes.unexpected);
  expect(snapshot()).toEqual(before);
  const exported = (await queue("export", "p1")).out
    .split("\n")
    .map((line) => Number(parsed(line)["sequence"]));
  expect(snapshot()).toEqual(before);

  const repaired = await queue("repair", "p1", "--json");
  expect(repaired.code).toBe(0);
  expect(parsed(repaired.out)["repaired"]).toHaveLength(3);
  expect(await queue("verify", "p1")).toMatchObject({ code: 0, out: expect.stringContaining("it is sound") });
  expect((await queue("repair", "p1")).out).toBe("nothing is damaged: nothing was written");

  const { numbers, missing } = await readByLog();
  expect(exported).toEqual(numbers);
  expect(numbers.length).toBeLessThan(100);
  expect(parsed(verified.out)).toMatchObject({ records: numbers.length, missing, isSound: false });
});

test("a running device's queue is read while it grows, and repair is refused with a sentence", async () => {
  await fill(30);
  const log = await openLog();
  const before = snapshot();
  expect(parsed((await queue("ls", "--json")).out)).toMatchObject([{ isInUse: true, records: 30 }]);
  expect(await queue("repair", "p1")).toMatchObject({
    code: exitCodes.conflict,
    err: expect.stringMatching(new RegExp(`process ${process.pid} has .* open: stop the device`)),
  });
  expect(snapshot()).toEqual(before);
  await log.append(new TextEncoder().encode("one more"));
  expect(parsed((await queue("verify", "p1", "--json")).out)).toMatchObject({
    records: 31,
    users: [process.pid],
  });
  await log.close();
});

test("tail shows the newest records, export their payloads", async () => {
  await fill(60);
  const tail: unknown = JSON.parse((await queue("tail", "p1", "--count", "3", "--json")).out);
  expect(tail).toMatchObject([{ sequence: 58 }, { sequence: 59 }, { sequence: 60 }]);
  expect((await queue("tail", "p1")).out.split("\n")).toHaveLength(10);
  const [first = ""] = (await queue("export", "p1", "--from", "41")).out.split("\n");
  expect(parsed(first)).toMatchObject({ sequence: 41 });
  expect(Buffer.from(String(parsed(first)["payload"]), "base64").toString()).toContain("reading 41 ");
});

test("encrypted records need their key, and a word that is no key is a wrong use", async () => {
  await fill(10, { current: 4, known: new Map([[4, KEY]]) });
  const lacking = await queue("verify", "p1");
  expect(lacking).toMatchObject({
    code: exitCodes.unexpected,
    out: expect.stringContaining("key 4, which is not known"),
  });
  const file = join(state, "key");
  writeFileSync(file, Buffer.from(KEY).toString("hex"));
  expect(await queue("verify", "p1", "--key", `4=${file}`)).toMatchObject({ code: 0 });
  expect((await queue("export", "p1", "--key", `4=${file}`)).out.split("\n")).toHaveLength(10);
  expect(await queue("verify", "p1", "--key", "four")).toMatchObject({ code: exitCodes.usage });
});
