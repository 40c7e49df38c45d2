import { expect, test } from "vitest";
import type { DeviceTally, Tally } from "../evidence/tally.ts";
import { Course } from "../rollout/course.ts";
import { planOfWorld } from "../rollout/world.ts";
import { progressOf } from "./progress.ts";

const MINUTE_MS = 60_000;
const plan = planOfWorld({ home: 3, driven: 9 });
const person = { by: "ada", reason: "seen enough" };
const groups = { "driven-canary": [], "driven-main": plan.targets[1]!.devices.map(({ thing }) => thing) };

/** A device as its rows tell of it: last heard so long ago, its link, its last job. */
function seen(
  nowMs: number,
  heardMinutes: number,
  more: Pick<DeviceTally, "connection" | "job" | "restarts"> | object = {},
): DeviceTally {
  return {
    heard: 1,
    counters: {},
    sums: {},
    components: [],
    restarts: {},
    last: {
      source: "heartbeat",
      thing: "any",
      atMs: nowMs - heardMinutes * MINUTE_MS,
      sentMs: 0,
      sequence: 1,
      startedMs: {},
      ageMs: {},
      versions: {},
      counters: {},
      sums: {},
    },
    ...more,
  };
}
const job = (status: string, atMs: number) => ({ job: { status, atMs } });
const gone = (atMs: number) => ({ connection: { connected: false, atMs } });

/** A target's stages, without those that nobody is at. */
function stages(it: Course, tally: Tally, members: Record<string, string[]> = groups) {
  const progress = progressOf(it.rollout, "driven", tally, members);
  const there = Object.entries(progress.devices).filter(([, count]) => count > 0);
  return { ...progress, devices: Object.fromEntries(there) };
}

test("every device is counted once, where it is, in every phase [rollout-8.1]", () => {
  const it = new Course(plan);
  expect(stages(it, {}).devices).toEqual({ notTold: 9 });
  it.to("canary");
  expect(stages(it, {}).devices).toEqual({ notTold: 9 });
  it.obey();
  const [one = "", other = ""] = it.rollout.targets["driven"]!.order;
  const nowMs = it.now.driven;
  const heard = { [one]: seen(nowMs, 1), [other]: seen(nowMs, 1, job("IN_PROGRESS", nowMs - MINUTE_MS)) };
  expect(stages(it, heard).devices).toEqual({ notTold: 7, told: 1, inProgress: 1 });
  it.sync();
  expect(stages(it, heard).devices).toEqual({ notTold: 7, onCandidate: 2 });
  it.to("waves");
  // Its wave is named, but not in the group yet.
  expect(stages(it, {}).devices).toEqual({ notTold: 7, onCandidate: 2 });
  it.obey();
  expect(stages(it, {}).devices).toEqual({ notTold: 3, onCandidate: 2, offline: 4 });
  it.tell({ kind: "rollbackRequested", ...person }).obey();
  it.sync(other);
  expect(stages(it, { [other]: seen(it.now.driven, 1) }).devices).toEqual({ notTold: 3, told: 1, back: 5 });
});

test("what is stuck is named with its stage, its age, its deadline and what is next, longest first [rollout-8.2]", () => {
  const it = new Course(plan).to("waves").obey();
  const wave = it.rollout.targets["driven"]!.order.slice(2, 6);
  it.sync(...wave.slice(1)).pass(20);
  const now = it.now.driven;
  const [arrived = "", lost = "", mute = "", refusing = ""] = wave;
  const tally: Tally = {
    [arrived]: seen(now, 1),
    [lost]: seen(now, 19, gone(now - 18 * MINUTE_MS)),
    [mute]: seen(now, 9),
    [refusing]: seen(now, 1, job("FAILED", now - 5 * MINUTE_MS)),
  };
  const { stuck, devices } = stages(it, tally);
  expect(devices).toEqual({ notTold: 3, onCandidate: 3, offline: 1, silent: 1, failed: 1 });
  expect(stuck.map(({ thing, stage, ageMs }) => [thing, stage, ageMs / MINUTE_MS])).toEqual([
    [lost, "offline", 18],
    [mute, "silent", 9],
    [refusing, "failed", 5],
  ]);
  for (const { deadline } of stuck)
    expect(deadline).toMatchObject({ name: "wave", atMs: now + 40 * MINUTE_MS, target: "driven" });
  expect(stuck.map(({ next }) => next)).toEqual([
    expect.stringContaining("its network"),
    expect.stringContaining("stream-uploader"),
    expect.stringContaining("the guard halts"),
  ]);
});

test("a device that arrived and then crashes or falls silent is stuck as well; one that only went offline is not", () => {
  const it = new Course(plan).to("soaking");
  const [one = "", other = ""] = it.rollout.targets["driven"]!.order;
  const now = it.now.driven;
  const crashing = seen(now, 1, { restarts: { inference: [now - 3, now - 2, now - 1] } });
  expect(stages(it, { [one]: crashing, [other]: seen(now, 9, gone(now - MINUTE_MS)) }).devices).toEqual({
    notTold: 7,
    onCandidate: 1,
    failed: 1,
  });
  expect(stages(it, { [one]: seen(now, 9) }).devices).toMatchObject({ silent: 1 });
});

test("stragglers of a rollback that has ended are named still, without a deadline [rollout-8.2]", () => {
  const it = new Course(plan).to("soaking").look("HALT", "driven").obey();
  const [thing = ""] = it.rollout.targets["driven"]!.order;
  it.sync(thing).pass(61);
  expect(it.phase.phase).toBe("done");
  const { stuck, devices } = stages(it, {});
  expect(devices).toEqual({ notTold: 7, back: 1, offline: 1 });
  expect(stuck).toMatchObject([{ thing, stage: "offline", deadline: undefined }]);
});

test("devices that joined a group after the plan are named with what that group gives them [rollout-8.3]", () => {
  const it = new Course(plan).to("soaking");
  const members = { "driven-canary": ["late-1"], "driven-main": [...groups["driven-main"], "late-2"] };
  expect(stages(it, {}, members).newcomers).toEqual([
    { thing: "late-1", group: "driven-canary", set: "candidate" },
    { thing: "late-2", group: "driven-main", set: "lastGood" },
  ]);
  it.to("verifying");
  expect(stages(it, {}, members).newcomers.map(({ set }) => set)).toEqual(["candidate", "candidate"]);
});
