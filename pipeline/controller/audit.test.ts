import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import {
  hashOf,
  NO_PREVIOUS,
  readEntry,
  storedEntry,
  verifyAudit,
  type RolloutRecord,
  type StoredEntry,
} from "./audit.ts";
import { AppendConflict, RolloutLog, ROLLOUTS_TABLE } from "./rollout-log.ts";

let cloud: TestCloud;
let dynamodb: DynamoDBClient;
let log: RolloutLog;
beforeAll(async () => {
  cloud = await startTestCloud();
  dynamodb = new DynamoDBClient(cloud.client);
  log = new RolloutLog(dynamodb, systemClock);
  await log.ensure();
});
afterAll(async () => {
  dynamodb.destroy();
  await cloud.close();
});

const refused: RolloutRecord = { kind: "refused", executionId: "e", commit: "c", because: "it must be" };
const held = (reason: string): RolloutRecord => ({
  kind: "told",
  evidence: [{ kind: "held", by: "ada", reason }],
  now: { home: 1 },
});

async function logOf(rollout: string, events: number): Promise<StoredEntry[]> {
  let last = await log.create(rollout, "c", refused);
  for (let index = 1; index < events; index++) last = await log.append(last, held(`reason ${index}`));
  return log.entries(rollout);
}

test("a log that nobody touched is found whole, and its head is the last event's hash", async () => {
  const entries = await logOf("whole", 5);
  expect(verifyAudit(entries)).toEqual({ ok: true, entries: 5, head: entries[4]?.sha256 });
  expect(verifyAudit([])).toMatchObject({ ok: true, entries: 0 });
});

const forged = (entry: StoredEntry): StoredEntry => {
  const text = entry.text.replace(/ada|must/, "eve");
  return { ...entry, text, sha256: hashOf(text) };
};

test.each<[string, (entries: StoredEntry[]) => StoredEntry[], number, string]>([
  [
    "an entry that was changed",
    (all) => all.with(2, { ...all[2]!, text: all[2]!.text.replace("ada", "eve") }),
    2,
    "entry 2 was changed after it was written",
  ],
  [
    "one whose hash was changed as well",
    (all) => all.with(2, forged(all[2]!)),
    2,
    "entry 2 was replaced: entry 3 names ",
  ],
  [
    "the first, with its hash",
    (all) => all.with(0, forged(all[0]!)),
    0,
    "entry 0 was replaced: entry 1 names ",
  ],
  ["a hash alone", (all) => all.with(3, { ...all[3]!, sha256: hashOf("x") }), 3, "entry 3 was changed"],
  ["one that was taken out", (all) => all.toSpliced(3, 1), 3, "entry 3 is missing: after 2 is 4"],
  ["the first one taken out", (all) => all.toSpliced(0, 1), 0, "entry 0 is missing: the first is 1"],
  ["one that stands there twice", (all) => all.toSpliced(3, 0, all[2]!), 2, "entry 2 stands there twice"],
  [
    "one that was put in another's place",
    (all) => all.with(2, { ...all[4]!, sequence: 2 }),
    2,
    "entry 2 says that it is entry 4 of rollout ",
  ],
  [
    "one of another rollout",
    (all) =>
      all
        .with(2, storedEntry({ ...readEntry(all[2]!), rollout: "other" }))
        .map((one) => ({ ...one, rollout: all[0]!.rollout })),
    2,
    "entry 2 says that it is entry 2 of rollout other",
  ],
  [
    "two that were exchanged",
    (all) => all.with(2, all[3]!).with(3, all[2]!),
    2,
    "entry 2 is missing: after 1 is 3",
  ],
  [
    "one that is no entry any more",
    (all) => all.with(1, { ...all[1]!, text: "gone", sha256: hashOf("gone") }),
    1,
    "entry 1 cannot be read",
  ],
  [
    "a first one that follows another",
    (all) => [storedEntry({ ...readEntry(all[0]!), previous: hashOf("x") })],
    0,
    "as the one before it, and there is none",
  ],
])("finds %s, and names its number", async (name, tamper, sequence, because) => {
  const entries = await logOf(name.replaceAll(/[^a-z]/g, "-"), 6);
  expect(verifyAudit(entries)).toMatchObject({ ok: true });
  expect(verifyAudit(tamper(entries))).toEqual({
    ok: false,
    sequence,
    because: expect.stringContaining(because),
  });
});

test("a log that was cut off or written anew is found by a hash that was noted elsewhere", async () => {
  const entries = await logOf("noted", 5);
  const noted = entries[3]!.sha256;
  expect(verifyAudit(entries, noted)).toMatchObject({ ok: true, entries: 5 });
  expect(verifyAudit(entries.slice(0, 3))).toMatchObject({ ok: true });
  expect(verifyAudit(entries.slice(0, 3), noted)).toEqual({
    ok: false,
    sequence: 3,
    because: expect.stringMatching(
      /no entry has the hash .* entries after 2 were cut off, or the log was written anew/,
    ),
  });
  let previous = NO_PREVIOUS;
  const anew = entries.map((stored) => {
    const entry = storedEntry({ ...readEntry(stored), previous, atMs: 1 });
    previous = entry.sha256;
    return entry;
  });
  expect(verifyAudit(anew)).toMatchObject({ ok: true });
  expect(verifyAudit(anew, noted)).toMatchObject({ ok: false });
});

test("an event changed in the table itself is found and named", async () => {
  await logOf("in-place", 4);
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: ROLLOUTS_TABLE,
      Key: { rollout: { S: "in-place" }, sequence: { N: "2" } },
      UpdateExpression: "SET #entry = :entry",
      ExpressionAttributeNames: { "#entry": "entry" },
      ExpressionAttributeValues: { ":entry": { S: '{"nothing":"happened"}' } },
    }),
  );
  expect(verifyAudit(await log.entries("in-place"))).toEqual({
    ok: false,
    sequence: 2,
    because: "entry 2 was changed after it was written",
  });
});

test("of many who append at once one takes each place, and a rollout begins once", async () => {
  const begun = await Promise.allSettled([1, 2, 3].map(() => log.create("raced", "c", refused)));
  expect(begun.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const [first] = await log.entries("raced");
  const appended = await Promise.allSettled([1, 2, 3, 4].map((n) => log.append(first!, held(`by ${n}`))));
  const failures = appended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(failures).toHaveLength(3);
  expect(failures.every((failure) => failure instanceof AppendConflict)).toBe(true);
  expect(verifyAudit(await log.entries("raced"))).toMatchObject({ ok: true, entries: 2 });
  expect((await log.list()).filter(({ rollout }) => rollout === "raced")).toHaveLength(1);
});

test("a seed that was laid down first stays", async () => {
  expect(await log.seed("r", 0, "one")).toBe("one");
  expect(await log.seed("r", 0, "two")).toBe("one");
  expect(await log.seed("r", 1, "three")).toBe("three");
});
