import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { hashOf, verifyAudit, type RolloutRecord, type StoredEntry } from "./audit.ts";
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

test("any event that is changed, dropped, added or moved is found", async () => {
  const entries = await logOf("touched", 6);
  const random = new SeededRandom("tampering");
  for (let round = 0; round < 60; round++) {
    const at = random.below(entries.length - 1);
    const changed = entries.map((entry) => ({ ...entry }));
    const one = changed[at]!;
    const how = round % 4;
    if (how === 0) one.text = one.text.replace(/ada|must/, "eve");
    // With a fresh hash of its own, so that only the chain shows it.
    if (how === 1) Object.assign(one, { text: one.text.replace(/ada|must/, "eve") });
    if (how === 1) Object.assign(one, { sha256: hashOf(one.text) });
    if (how === 2) changed.splice(at, 1);
    if (how === 3) [changed[at], changed[at + 1]] = [changed[at + 1]!, one];
    expect(verifyAudit(changed), `round ${round}`).toMatchObject({ ok: false });
  }
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
