import { componentNames } from "@coalmine/contract";
import { Closing } from "@coalmine/runtime";
import { afterEach, expect, test } from "vitest";
import { Controller } from "../pipeline/controller/controller.ts";
import { deployOnce } from "../pipeline/controller/deployments.ts";
import type { Notice } from "../pipeline/controller/deeds.ts";
import { membersOf, runningRevision } from "../pipeline/controller/fleet.ts";
import { readRollout } from "../pipeline/controller/folded.ts";
import { keptBundle } from "../pipeline/controller/kept-bundle.ts";
import { judge } from "../pipeline/judge/judge.ts";
import { parsePolicy } from "../pipeline/policy.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../test/rig-cloud.ts";
import { auditVerify, describeRollout, hold, listRollouts, promote, resume, rollback, why } from "./index.ts";
import { GOOD, play, startRig } from "./rig.ts";
import { shortPolicy, type Behaviour } from "./scripted-fleet.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
let closing = new Closing();
afterEach(async () => {
  await closing.close();
  closing = new Closing();
});

const rigOf = (sizes: { home: number; driven?: number }, behaviour?: Behaviour) =>
  startRig((name, region) => startCloud(closing, name, region), closing, sizes, behaviour);

test("a push goes through canary, judge, a person, waves and verification in both regions, by the controller's own loop", async () => {
  const rig = await rigOf({ home: 3, driven: 9 });
  const execution = await rig.push("2222222bbbbb", "1.0.1");
  const stop = new AbortController();
  const running = rig.controller().run(stop.signal);
  const notice = async (about: string): Promise<Notice> => {
    for (;;) {
      const found = rig.notices.find((one) => one.about === about);
      if (found !== undefined) return found;
      expect(rig.notices.find((one) => one.about === "rollingBack")).toBeUndefined();
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
  };
  const { rollout, sentence } = await notice("awaitingPromotion");
  expect(sentence).toMatch(/home: All 2 metrics with a limit kept it.*driven: All 3 guarded metrics/);
  expect(rig.versions()).toEqual({ "1.0.0": 8, "1.0.1": 4 });
  const before = await describeRollout(rig.api, { rollout });
  expect(before.targets.map(({ devices }) => devices)).toEqual([
    { all: 3, canary: 1, exposed: 1 },
    { all: 9, canary: 3, exposed: 3 },
  ]);
  expect(before.next).toContain(`coalmine rollout promote ${rollout}`);
  await expect(promote(rig.api, { rollout, who: "ada", reason: " " })).rejects.toMatchObject({
    code: "ERR_API_INPUT",
  });
  const decided = await promote(rig.api, { rollout, who: "ada", reason: "looks well" });
  expect(decided.phase).toBe("waves");
  expect((await notice("done")).sentence).toContain("2222222bbbbb is promoted");
  while ((await rig.executionStatus(execution)) === "InProgress")
    await new Promise((resolve) => void setTimeout(resolve, 20));
  stop.abort();
  await running;
  expect(await rig.executionStatus(execution)).toBe("Succeeded");
  expect(rig.versions()).toEqual({ "1.0.1": 12 });
  for (const { region } of rig.regions) {
    const running = await runningRevision(region, region.target.mainGroup);
    expect(running?.components[componentNames.inference]?.version).toBe("1.0.1");
    expect(await membersOf(region, region.target.canaryGroup)).toHaveLength(
      region.target.name === "home" ? 1 : 3,
    );
  }
  expect(await auditVerify(rig.api, { rollout })).toMatchObject({ ok: true });
  // Whoever has the bucket can compute the verdict again.
  const folded = (await readRollout(rig.api.log, rollout))!;
  const kept = await keptBundle(rig.api.kept, folded, parsePolicy(shortPolicy), "driven");
  expect(kept.sha256).toBe(folded.looks["driven"]?.at(-1)?.digest);
  expect(judge(kept.bundle).verdict).toBe(folded.looks["driven"]?.at(-1)?.verdict);
  // Of two waves the second left nobody to compare it with; in the first all devices were alike, which says nothing.
  expect(folded.planned?.rollout.targets["driven"]?.steps).toEqual([
    { fromMs: expect.any(Number), found: { p: null, weight: 0 } },
  ]);
}, 180_000);

test("a release that breaks devices is halted, and every device of the canary goes back by a new revision", async () => {
  const rig = await rigOf(
    { home: 3, driven: 9 },
    { silent: (version) => version === "1.0.1", failed: (version) => (version === "1.0.1" ? 3 : 0) },
  );
  const execution = await rig.push("3333333ccccc", "1.0.1");
  const mains = await Promise.all(
    rig.regions.map(({ region }) => runningRevision(region, region.target.mainGroup)),
  );
  const controller = rig.controller();
  const rollout = await play(rig, () => controller.tick());
  const end = await describeRollout(rig.api, { rollout });
  expect(end).toMatchObject({ phase: "done", outcome: "halted" });
  expect(end.because).toMatch(/silent|not heard|heartbeats/);
  expect(await rig.executionStatus(execution)).toBe("Failed");
  expect(rig.versions()).toEqual({ "1.0.0": 12 });
  for (const [index, { region }] of rig.regions.entries()) {
    const { canaryGroup, mainGroup } = region.target;
    expect(await runningRevision(region, mainGroup)).toEqual(mains[index]);
    expect((await runningRevision(region, canaryGroup))?.components[componentNames.inference]?.version).toBe(
      "1.0.0",
    );
  }
  expect(rig.notices.map(({ about }) => about)).toEqual(["rollingBack", "done"]);
}, 180_000);

test("a release that breaks only what is not the canary is halted in its first wave, and everything goes back [rollout-4.4]", async () => {
  let canary: readonly string[] = [];
  const isBroken = (version: string, thing: string): boolean =>
    version === "1.0.1" && thing.startsWith("driven") && !canary.includes(thing);
  const rig = await rigOf(
    { home: 3, driven: 9 },
    { failed: (version, thing) => (isBroken(version, thing) ? 4 : 0) },
  );
  await rig.push("3333333ddddd", "1.0.1");
  const controller = rig.controller();
  const rollout = await play(rig, async () => {
    const tick = await controller.tick();
    const state = (await readRollout(rig.api.log, tick.rollout ?? ""))?.planned?.rollout.targets["driven"];
    canary = state?.order.slice(0, state.canaryCount) ?? canary;
    return tick;
  });
  const end = await describeRollout(rig.api, { rollout });
  expect(end).toMatchObject({ phase: "done", outcome: "halted", promotedBy: "ada" });
  expect(end.because).toMatch(/^driven: failed windows is 0\.\d+ over \d updated devices/);
  expect(end.targets[1]?.verdict?.verdict).toBe("PROMOTE");
  expect(rig.versions()).toEqual({ "1.0.0": 12 });
}, 180_000);

test("a revision of the candidate that a slow controller makes after the rollback is seen, and followed by the last good set [rollout-5.4]", async () => {
  const rig = await rigOf({ home: 3 });
  await rig.push("3333333eeeee", "1.0.1");
  const controller = rig.controller();
  let rollout = "";
  for (let phase; phase !== "canary";) ({ phase, rollout = rollout } = await controller.tick());
  await rollback(rig.api, { rollout, who: "ada", reason: "the alarm" });
  await controller.tick();
  const { region } = rig.home;
  const [target] = (await readRollout(rig.api.log, rollout))!.planned!.record.plan.targets;
  const name = `${rollout}/home/canary/candidate/1`;
  const { canaryGroup } = region.target;
  await deployOnce(region, canaryGroup, name, target!.candidate.components, 60);
  await play(rig, () => controller.tick());
  expect(await describeRollout(rig.api, { rollout })).toMatchObject({ phase: "done", outcome: "halted" });
  expect(rig.versions()).toEqual({ "1.0.0": 3 });
  expect((await runningRevision(region, canaryGroup))?.components[componentNames.inference]?.version).toBe(
    "1.0.0",
  );
}, 180_000);

test("a hint makes the controller look at once, and means nothing by itself [rollout-1.6]", async () => {
  const rig = await rigOf({ home: 3 });
  const { time } = rig.options;
  // Whoever waits for no hint waits for ever.
  const waitUntil: typeof time.waitUntil = (target, _, signal) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(time.now(target)));
    });
  const controller = new Controller({ ...rig.options, time: { ...time, waitUntil } });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  const passed = () => new Promise((resolve) => void setTimeout(resolve, 500));
  await passed();
  await rig.push("6666666fffff", "1.0.1");
  await passed();
  const installed = await listRollouts(rig.api);
  expect(installed).toHaveLength(1);
  for (let hint = 0; hint < 5; hint++) controller.hint();
  while ((await listRollouts(rig.api)).length === 1) await passed();
  stop.abort();
  await running;
}, 180_000);

test("a person holds and resumes; a newer push waits its turn and then rolls out", async () => {
  const rig = await rigOf({ home: 3 });
  const firstExecution = await rig.push("5555555eeeee", "1.0.1");
  const controller = rig.controller();
  const tick = await controller.tick();
  const rollout = tick.rollout ?? "";
  expect(await hold(rig.api, { rollout, who: "bo", reason: "a visit" })).toMatchObject({ phase: "held" });
  await expect(promote(rig.api, { rollout, who: "bo", reason: "now" })).rejects.toMatchObject({
    code: "ERR_API_CONFLICT",
    message: expect.stringMatching(/cannot be promoted while it is held\. `coalmine rollout resume /),
  });
  expect((await why(rig.api, { rollout })).join(" ")).toMatch(/is held: a visit.*"hold" passes/);
  for (let index = 0; index < 3; index++) await controller.tick();
  expect(rig.versions()).toEqual({ "1.0.0": 3 });
  await resume(rig.api, { rollout: rollout.slice(0, 9), who: "bo", reason: "visit over" });
  for (let index = 0; index < 6; index++) await controller.tick();
  // The canary has been told, and its clock stands still.
  expect((await why(rig.api, { rollout })).join("\n")).toMatch(
    /is canary: the canary is told to take the release\.\nhome waits since 0 s for 1 devices:\nhome-\d: it has not begun its deployment .*\nhome: in 25 min the deadline "deploy" passes/,
  );
  const secondExecution = await rig.push("6666666fffff", "1.0.0");
  const last = await play(rig, () => controller.tick());
  expect(last).not.toBe(rollout);
  expect(rig.versions()).toEqual({ "1.0.0": 3 });
  expect(await rig.executionStatus(firstExecution)).toBe("Succeeded");
  expect(await rig.executionStatus(secondExecution)).toBe("Succeeded");
  expect((await listRollouts(rig.api)).map(({ commit, outcome }) => [commit, outcome])).toEqual([
    ["6666666fffff", "promoted"],
    ["5555555eeeee", "promoted"],
    [GOOD, undefined],
  ]);
}, 180_000);

test("what cannot or need not be rolled out is answered with its reason, and no device is touched", async () => {
  const rig = await rigOf({ home: 3 });
  const controller = rig.controller();
  const execution = await rig.push("7777777aaaaa", "1.0.0");
  await play(rig, () => controller.tick());
  expect(await rig.executionStatus(execution)).toBe("Succeeded");
  const [same] = await listRollouts(rig.api);
  expect(same).toMatchObject({ phase: "nothingToDo", because: expect.stringContaining("already") });

  const removing = await rig.push("8888888bbbbb", {
    version: 1,
    commit: "8888888bbbbb",
    components: { [componentNames.inference]: "1.0.1" },
  });
  await play(rig, () => controller.tick());
  expect(await rig.executionStatus(removing)).toBe("Failed");
  expect((await listRollouts(rig.api))[0]?.because).toMatch(/would remove coalmine.SensorReader/);
  expect(rig.versions()).toEqual({ "1.0.0": 3 });
}, 180_000);
