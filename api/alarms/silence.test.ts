import { Closing, invariant } from "@coalmine/runtime";
import { afterAll, expect, test } from "vitest";
import { KeptDocuments } from "../../pipeline/controller/kept.ts";
import { RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { raiseAlarms } from "../../test/raise-alarms.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { closeOperatorRegion, openOperatorRegion } from "../operator-region.ts";
import { ACCOUNT } from "../rig.ts";
import { type AlarmsParts, listAlarms } from "./list-alarms.ts";
import { silence } from "./silence.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const closing = new Closing();
afterAll(() => closing.close());

test("a silenced alarm calls for nobody until its time, however often it comes, and then again by itself", async () => {
  const { region: place, endpoint, clock } = await startCloud(closing, "home", "us-east-1");
  const groups = { canaryGroup: "canary", mainGroup: "main" };
  const buckets = { artifactBucket: "artifacts", lakeBucket: "lake" };
  const target = { name: "home", region: place, endpoint, ...buckets, ...groups };
  const region = closing.add(openOperatorRegion(target, ACCOUNT), closeOperatorRegion);
  const log = new RolloutLog(region.dynamodb, clock);
  await log.ensure();
  const api: AlarmsParts["api"] = {
    log,
    kept: new KeptDocuments(region.s3, target.artifactBucket),
    targets: [target],
    time: { now: async () => clock.now(), waitUntil: async () => clock.now() },
  };
  const parts: AlarmsParts = { api, regions: [region], clock };
  await raiseAlarms(closing, region, clock);
  // The other alarm, CloudWatch's, comes and goes with its metric.
  const refused = async () => {
    const found = (await listAlarms(parts)).alarms.find(({ kind }) => kind === "claimRefused");
    invariant(found !== undefined, "the refused claim is no alarm");
    return found;
  };
  const say = (who: string, alarm: string, forMs: number) =>
    silence(parts, { alarm, who, body: { reason: "known", key: `silence-by-${who}`, forMs } });
  const first = await refused();
  expect((await listAlarms(parts)).unacknowledged).toBe(2);
  await say("ada", first.alarm, 3_600_000);
  const during = await listAlarms(parts);
  expect([during.unacknowledged, during.alarms.at(-1)?.silenced?.who]).toEqual([1, "ada"]);
  // It comes anew: another occurrence, of the same source.
  await clock.runUntil(clock.now() + 1000);
  await raiseAlarms(closing, region, clock);
  const again = await refused();
  expect([again.source, again.alarm === first.alarm, again.silenced?.who]).toEqual([
    first.source,
    false,
    "ada",
  ]);
  // Whoever changes their mind says another time.
  const untilMs = (await say("bo", again.alarm, 60_000)).silenced?.untilMs ?? 0;
  await clock.runUntil(untilMs - 1);
  expect((await refused()).silenced).toMatchObject({ who: "bo", reason: "known", untilMs });
  await clock.runUntil(untilMs);
  expect((await refused()).silenced).toBeUndefined();
}, 60_000);
