import { Closing } from "@coalmine/runtime";
import { afterEach, expect, test } from "vitest";
import { readEntry } from "../pipeline/controller/audit.ts";
import { readRollout } from "../pipeline/controller/folded.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../test/rig-cloud.ts";
import { auditVerify, describeRollout, promote } from "./index.ts";
import { play, startRig, type Rig } from "./rig.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
let closing = new Closing();
afterEach(async () => {
  await closing.close();
  closing = new Closing();
});

test("two people let a release through before its verdict, and the audit log names both with their reasons; what was promoted by verdict before needs no canary [rollout-7.1] [rollout-7.2] [rollout-7.3]", async () => {
  const rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 3 });
  const controller = rig.controller();
  const begin = async (commit: string, version: string): Promise<string> => {
    await rig.push(commit, version);
    return (await controller.tick()).rollout ?? "";
  };
  const end = () => play(rig, () => controller.tick());

  const unjudged = await begin("2222222bbbbb", "1.0.1");
  await letThrough(rig, unjudged);
  await end();
  expect(rig.versions()).toEqual({ "1.0.1": 3 });
  const described = await describeRollout(rig.api, { rollout: unjudged });
  expect(described).toMatchObject({ phase: "done", outcome: "promoted", promotedBy: "ada and bo" });
  expect(described.targets[0]?.verdict?.verdict).toBe("WAIT");
  expect(await auditVerify(rig.api, { rollout: unjudged })).toMatchObject({ ok: true });
  const kept = (await rig.api.log.entries(unjudged)).flatMap((entry) => {
    const { record } = readEntry(entry);
    return record.kind === "told" ? record.evidence.filter(({ kind }) => kind === "emergencyPromoted") : [];
  });
  expect(kept).toEqual([
    { kind: "emergencyPromoted", by: "ada", reason: "the fleet measures nonsense" },
    { kind: "emergencyPromoted", by: "bo", reason: "seen it too" },
  ]);

  const knownGoodBy = async (rollout: string) =>
    (await readRollout(rig.api.log, rollout))?.planned?.record.plan.targets[0]?.knownGoodBy;
  const back = await begin("3333333ccccc", "1.0.0");
  expect(await knownGoodBy(back)).toBeUndefined();
  await end();
  const again = await begin("4444444ddddd", "1.0.1");
  // Let through by two people, it has proved nothing.
  expect(await knownGoodBy(again)).toBeUndefined();
  await end();
  const known = await begin("5555555eeeee", "1.0.0");
  expect(await knownGoodBy(known)).toBe(back);
  await letThrough(rig, known);
  await end();
  expect(rig.versions()).toEqual({ "1.0.0": 3 });
  const texts = (await rig.api.log.entries(known)).map(({ text }) => text);
  const [wave, arrival] = ["/move/wave-0", '"set":"5555555eeeee"'].map((part) =>
    texts.findIndex((text) => text.includes(part)),
  );
  expect(wave).toBeGreaterThan(0);
  expect(arrival).toBeGreaterThan(wave ?? 0);
}, 180_000);

/** The same command by two people; the first may not give it twice. */
async function letThrough({ api }: Rig, rollout: string): Promise<void> {
  const emergency = true;
  const ada = { rollout, who: "ada", reason: "the fleet measures nonsense", emergency };
  const opened = await promote(api, ada);
  expect(opened.next).toMatch(/^ada has opened the emergency lane .* promote \S+ --emergency/);
  await expect(promote(api, { ...ada, who: "Ada" })).rejects.toMatchObject({
    code: "ERR_API_CONFLICT",
    message: expect.stringMatching(/cannot be let through by Ada alone/),
  });
  const completed = await promote(api, { rollout, who: "bo", reason: "seen it too", emergency });
  expect(completed.phase).toBe("drawing");
}
