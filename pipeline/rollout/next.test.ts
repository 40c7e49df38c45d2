import { expect, test } from "vitest";
import { parsePolicy } from "../policy.ts";
import { readFileSync } from "node:fs";
import { isDeed, type Action, type Deed } from "./action.ts";
import { deadlinesOf } from "./deadlines.ts";
import { Evidence } from "./evidence.ts";
import { Course } from "./course.ts";
import { actionsOf } from "./next.ts";
import { RolloutPlan, RolloutPolicy, rolloutPolicy } from "./plan.ts";
import { planOfWorld, policyOfWorld, seedOf } from "./world.ts";

const plan = planOfWorld({ home: 3, driven: 6 });
const MINUTE_MS = 60_000;
const person = { by: "ada", reason: "seen enough" };

const course = () => new Course(plan);
const canaryOf = (it: Course, target: string) =>
  it.rollout.targets[target]!.order.slice(0, it.rollout.targets[target]!.canaryCount);

test("a release that is well goes through every phase to promoted, and every stage is answered once, in order [rollout-3.6] [rollout-4.2]", () => {
  const it = course().to("done").obey();
  expect(it.phase).toMatchObject({ outcome: "promoted", stragglers: [] });
  const answers = it.world.deeds.filter((deed) => deed.kind === "answerApproval");
  expect(answers.map(({ stage, approved }) => [stage, approved])).toEqual(
    ["Canary", "Judge", "Promote", "Main", "Verify"].map((stage) => [stage, true]),
  );
  for (const { set, group, target } of it.world.devices.values()) {
    expect(set).toBe("new");
    expect([`${target}-main`, `${target}-canary`]).toContain(group);
  }
  expect(it.world.exposed("driven")).toHaveLength(6);
});

test("a target's draw waits for its own pre-period, and no target for another's [rollout-2.1]", () => {
  const it = course();
  it.now = { home: 60 * MINUTE_MS, driven: 59 * MINUTE_MS };
  expect(
    it
      .tell()
      .deeds("draw")
      .map(({ target }) => target),
  ).toEqual(["home"]);
  it.tell({ kind: "drawn", target: "driven", seed: seedOf("driven") });
  expect(it.rollout.targets["driven"]?.seed).toBeUndefined();
  it.obey().sync();
  expect(it.phase.phase).toBe("planned");
  expect(it.deeds("answerApproval")).toEqual([]);
  expect(it.world.exposed("home")).toEqual(canaryOf(it, "home"));
  expect(it.world.exposed("driven")).toEqual([]);
  const waits = () => actionsOf(it.rollout).filter((action) => !isDeed(action));
  expect(waits()).toEqual([
    // Arrived, home is only looked at; its looks count from its own assignment.
    expect.objectContaining({ target: "home", kind: "judgeAt", timeMs: 90 * MINUTE_MS, drive: true }),
    expect.objectContaining({ target: "driven", kind: "wakeAt", timeMs: 60 * MINUTE_MS, drive: true }),
  ]);
  expect(it.look("PROMOTE", "home") && waits()[0]).toMatchObject({ target: "home", drive: false });
  it.now.driven = 60 * MINUTE_MS;
  expect(it.tell().phase.phase).toBe("drawing");
  expect(it.deeds("draw").map(({ target }) => target)).toEqual(["driven"]);
});

test("a canary that fails while another target is quiet turns the rollout back, and only its own devices [rollout-3.2]", () => {
  const it = course();
  it.now = { home: 60 * MINUTE_MS, driven: 59 * MINUTE_MS };
  it.tell().obey().sync().look("HALT", "home");
  expect(it.phase).toMatchObject({ phase: "rollingBack", outcome: "halted" });
  expect(it.deeds("createDeployment").map(({ group }) => group)).toEqual(["home-canary"]);
  it.obey().sync();
  expect(it.phase).toMatchObject({ phase: "done", outcome: "halted", stragglers: [] });
});

test("a seed that is not the committed one fails the rollout before any device is touched [rollout-2.1]", () => {
  const it = course().to("drawing").tell({ kind: "drawn", target: "driven", seed: "a better one" });
  expect(it.phase).toMatchObject({
    phase: "done",
    outcome: "failed",
    because: expect.stringContaining("not the one"),
  });
  expect(it.obey().world.deeds.filter(({ kind }) => kind === "createDeployment")).toEqual([]);
});

test("the canary group holds exactly the drawn devices before it gets the candidate [rollout-2.3]", () => {
  const it = course().to("drawing");
  it.tell(
    { kind: "drawn", target: "home", seed: seedOf("home") },
    { kind: "drawn", target: "driven", seed: seedOf("driven") },
  );
  expect(it.deeds("createDeployment")).toEqual([]);
  const moves = it.deeds("moveThings");
  expect(moves.map(({ group, exactly }) => ({ group, exactly }))).toEqual([
    { group: "home-canary", exactly: true },
    { group: "driven-canary", exactly: true },
  ]);
  it.tell(...moves.map(({ key }) => ({ kind: "done" as const, key })));
  expect(it.phase.phase).toBe("canary");
  expect(it.deeds("createDeployment").map(({ group }) => group)).toEqual(["home-canary", "driven-canary"]);
  expect(moves[1]?.things).toEqual(canaryOf(it, "driven"));
});

test("what is asked for is asked again under its key until it is done [rollout-1.2]", () => {
  const it = course().to("drawing");
  const keys = () =>
    actionsOf(it.rollout)
      .filter(isDeed)
      .map(({ key }) => key);
  const first = keys();
  expect(it.pass(1) && keys()).toEqual(first);
  it.tell({ kind: "drawn", target: "home", seed: seedOf("home") });
  expect(keys()).not.toContain(first[0]);
});

test("a canary that arrives in too small a part is rolled back at its deadline, a larger part soaks [rollout-2.4]", () => {
  const missing = course().to("canary").obey();
  missing.sync(...canaryOf(missing, "driven").slice(0, 1)).pass(61);
  expect(missing.phase).toMatchObject({
    phase: "rollingBack",
    outcome: "halted",
    because: expect.stringContaining("only 1 of 2 canary devices"),
  });
  const never = course().to("canary").pass(61);
  expect(never.phase).toMatchObject({
    phase: "rollingBack",
    outcome: "failed",
    because: expect.stringContaining("was not made in time"),
  });
  const most = course().to("canary").obey();
  most.rollout.plan.targets[1]!.policy.arrivedShareMin = 0.5;
  most.sync(...canaryOf(most, "driven").slice(0, 1)).pass(61);
  most.rollout.plan.targets[1]!.policy.arrivedShareMin = policyOfWorld.arrivedShareMin;
  expect(most.phase.phase).toBe("soaking");
});

test("only when every target's verdict is PROMOTE may a person promote [rollout-3.1]", () => {
  const it = course().to("soaking").pass(30).look("PROMOTE", "home").look("WAIT", "driven");
  expect(it.phase.phase).toBe("soaking");
  it.tell({ kind: "promoted", ...person });
  expect(it.refused).toEqual(["commit-1 cannot be promoted while it is soaking"]);
  it.pass(30).look("PROMOTE", "driven");
  expect(it.phase.phase).toBe("awaitingPromotion");
  expect(it.pass(100).phase.phase).toBe("awaitingPromotion");
  it.tell({ kind: "promoted", ...person });
  expect(it.phase).toMatchObject({ phase: "waves", wave: 0 });
  expect(it.deeds("answerApproval").find(({ stage }) => stage === "Promote")?.sentence).toBe(
    "ada: seen enough",
  );
  expect(() => Evidence.parse({ kind: "promoted", by: "ada", reason: "" })).toThrow();
});

test("where every target's policy promotes by itself, PROMOTE of all does; no other verdict does [rollout-3.7]", () => {
  const itself = structuredClone(plan);
  for (const target of itself.targets) target.policy.promotes = "policy";
  const it = new Course(itself).to("soaking").pass(30).look("PROMOTE", "home");
  expect(it.phase.phase).toBe("soaking");
  it.look("PROMOTE", "driven");
  expect(it.phase).toMatchObject({ phase: "waves", wave: 0 });
  expect(it.rollout.promotedBy).toBe("the policy");
  expect(it.deeds("answerApproval").map(({ stage, approved }) => [stage, approved])).toContainEqual([
    "Promote",
    true,
  ]);
  expect(it.deeds("notify").find(({ about }) => about === "promoted")?.sentence).toContain(
    "home: judge says PROMOTE",
  );
  it.to("done").obey();
  expect(it.phase).toMatchObject({ outcome: "promoted", because: expect.stringContaining("by the policy") });

  const undecided = new Course(itself)
    .to("soaking")
    .pass(30)
    .look("PROMOTE", "home")
    .look("INCONCLUSIVE", "driven");
  expect(undecided.phase.phase).toBe("inconclusive");
  expect(new Course(itself).to("soaking").pass(181).phase.phase).toBe("inconclusive");
  const half = structuredClone(itself);
  half.targets[0]!.policy.promotes = "person";
  expect(new Course(half).to("soaking").pass(30).look("PROMOTE").phase.phase).toBe("awaitingPromotion");
});

test.each(["canary", "soaking", "awaitingPromotion", "waves", "verifying"] as const)(
  "HALT rolls back while %s, also when held [rollout-3.2] [rollout-5.1]",
  (phase) => {
    for (const hold of [false, true]) {
      const it = course().to(phase);
      // One device is behind, so that the end does not come at once.
      const thing = canaryOf(it, "driven")[0] ?? "";
      it.tell({ kind: "reported", target: "driven", thing, set: "good", deploymentId: "old" }).obey();
      if (hold) it.tell({ kind: "held", ...person });
      it.look("HALT", "driven");
      expect(it.phase).toMatchObject({
        phase: "rollingBack",
        outcome: "halted",
        because: "driven: judge says HALT",
      });
      expect(it.look("PROMOTE").phase.phase).toBe("rollingBack");
      // One refusal, of the first stage that was open.
      expect(
        it.obey().world.deeds.filter((deed) => deed.kind === "answerApproval" && !deed.approved),
      ).toHaveLength(1);
      it.sync().pass(0);
      expect(it.phase).toMatchObject({ phase: "done", outcome: "halted", stragglers: [] });
      for (const { set } of it.world.devices.values()) expect(set).toBe("good");
    }
  },
);

test("a halt in the canary leaves main alone, and goes back by a pinned revision with configuration set back [rollout-5.1] [rollout-5.3]", () => {
  const it = course().to("soaking").look("HALT", "home");
  expect(it.deeds("createDeployment")).toMatchObject([
    { group: "home-canary", components: { "coalmine.Inference": { version: "1.0.0", reset: [""] } } },
    { group: "driven-canary" },
  ]);
  expect(it.deeds("cancelDeployment")).toHaveLength(2);
  it.obey().sync().pass(0).obey();
  expect(it.phase.phase).toBe("done");
  expect(it.world.revisions.get("driven-main")).toMatchObject({ id: "driven-main:1", set: "good" });
});

test("a rollback is done when each device reports its very revision, not the last good set alone [rollout-5.2]", () => {
  const it = course().to("soaking").look("HALT", "home").obey();
  const [thing = ""] = canaryOf(it, "driven");
  it.sync(thing);
  it.tell({ kind: "reported", target: "driven", thing, set: "good", deploymentId: "driven-main:1" });
  expect(it.phase.phase).toBe("rollingBack");
  it.sync();
  expect(it.phase.phase).toBe("done");
});

test("a wave that was on its way when the rollout turned back joins the group after the last good set, never before [rollout-5.5]", () => {
  const it = course()
    .to("waves")
    .tell({ kind: "rollbackRequested", ...person });
  expect(it.deeds("moveThings")).toEqual([]);
  const back = it.deeds("createDeployment").find(({ target }) => target === "driven")!;
  it.tell(it.world.carryOut(back)!);
  expect(it.deeds("moveThings").map(({ group, things }) => ({ group, things }))).toEqual([
    { group: "driven-canary", things: it.rollout.targets["driven"]!.order.slice(2, 4) },
  ]);
  it.obey().sync().pass(0);
  expect(it.phase).toMatchObject({ phase: "done", outcome: "halted", stragglers: [] });
});

test("a device that never comes back from a rollback is named, and the rollout failed [rollout-1.4]", () => {
  const it = course().to("soaking").look("HALT", "home").obey();
  const [thing = ""] = canaryOf(it, "driven");
  it.sync(thing).pass(61);
  expect(it.phase).toMatchObject({
    phase: "done",
    outcome: "failed",
    stragglers: [{ target: "driven", thing }],
  });
  expect(it.deeds("notify").find(({ about }) => about === "done")?.sentence).toContain(thing);
});

test("a candidate's revision that was made after all is followed by one of the last good set [rollout-5.4]", () => {
  const it = course().to("canary");
  const [candidate] = it.deeds("createDeployment");
  it.tell({ kind: "rollbackRequested", ...person }).obey();
  it.world.carryOut(candidate!);
  it.tell({ kind: "deploymentCreated", key: candidate!.key, deploymentId: "late" });
  expect(it.deeds("createDeployment").map(({ key }) => key)).toEqual([
    `r1/${candidate!.target}/canary/lastGood/2`,
  ]);
  it.tell({ kind: "deploymentCreated", key: candidate!.key, deploymentId: "late" });
  expect(it.deeds("createDeployment")).toHaveLength(1);
});

test("inconclusive is held for a person, whose reason is the answer [rollout-3.3]", () => {
  const it = course().to("soaking").pass(30).look("INCONCLUSIVE", "driven");
  expect(it.phase).toMatchObject({ phase: "inconclusive", because: "driven: judge says INCONCLUSIVE" });
  expect(course().to("soaking").pass(181).phase).toMatchObject({
    phase: "inconclusive",
    because: expect.stringContaining("no look came"),
  });
  const back = course()
    .to("soaking")
    .look("INCONCLUSIVE", "driven")
    .tell({ kind: "rollbackRequested", ...person });
  expect(back.phase).toMatchObject({ phase: "rollingBack", outcome: "inconclusive" });
  expect(course().to("soaking").look("INCONCLUSIVE", "home").pass(401).phase).toMatchObject({
    phase: "rollingBack",
    outcome: "inconclusive",
  });
  it.tell({ kind: "promoted", ...person });
  expect(it.phase.phase).toBe("inconclusive");
  expect(it.refused).toEqual([
    "commit-1 cannot be promoted by one person while home has no verdict: two have to let it through",
  ]);
  it.look("PROMOTE", "home").tell({ kind: "promoted", ...person });
  expect(it.phase.phase).toBe("waves");
});

test("held, nothing but HALT moves it; resumed, the deadlines have moved [rollout-3.4]", () => {
  const it = course()
    .to("awaitingPromotion")
    .pass(590)
    .tell({ kind: "held", ...person });
  it.pass(300).tell({ kind: "promoted", ...person });
  expect(it.refused).toEqual(["commit-1 cannot be promoted while it is held"]);
  it.tell({ kind: "resumed", ...person });
  expect(it.phase.phase).toBe("awaitingPromotion");
  expect(it.pass(9).phase.phase).toBe("awaitingPromotion");
  expect(it.pass(1).phase).toMatchObject({ phase: "rollingBack", outcome: "inconclusive" });
  expect(
    course()
      .to("soaking")
      .tell({ kind: "held", ...person })
      .pass(501).phase,
  ).toMatchObject({ phase: "rollingBack" });
});

test("a newer push takes the place of what nobody has promoted, or waits [rollout-3.5]", () => {
  const newer = (mode: "queue" | "supersede") => ({ kind: "pushed", release: "commit-2", mode }) as const;
  expect(course().to("soaking").tell(newer("queue")).phase.phase).toBe("soaking");
  const superseded = course().to("soaking").tell(newer("supersede"));
  expect(superseded.phase).toMatchObject({ phase: "rollingBack", outcome: "superseded" });
  superseded.obey().sync().pass(0);
  expect(superseded.deeds("startRollout")).toMatchObject([{ release: "commit-2" }]);
  const promoted = course().to("waves").tell(newer("supersede"));
  expect(promoted.phase.phase).toBe("waves");
  expect(promoted.to("done").deeds("startRollout")).toHaveLength(1);
  expect(course().to("done").tell(newer("queue")).deeds("startRollout")).toHaveLength(1);
});

test("a refused deployment of the candidate fails the rollout; a refused rollback is asked for again [rollout-1.4]", () => {
  const it = course().to("canary");
  it.tell({ kind: "failed", key: it.deeds("createDeployment")[0]!.key, because: "no such version" });
  expect(it.phase).toMatchObject({
    phase: "rollingBack",
    outcome: "failed",
    because: expect.stringContaining("no such version"),
  });
  it.tell({ kind: "failed", key: it.deeds("createDeployment")[0]!.key, because: "throttled" });
  expect(it.deeds("createDeployment").map(({ key }) => key.at(-1))).toEqual(
    expect.arrayContaining(["1", "2"]),
  );
});

test("a clock is driven only where the rollout waits for it [rollout-1.5]", () => {
  const waits = (it: Course) =>
    actionsOf(it.rollout).filter((one): one is Exclude<Action, Deed> => !isDeed(one));
  expect(waits(course())).toMatchObject([
    { kind: "wakeAt", target: "home", timeMs: 60 * MINUTE_MS, drive: true },
    { kind: "wakeAt", target: "driven", timeMs: 60 * MINUTE_MS, drive: true },
  ]);
  const soaking = course().to("soaking").pass(30).look("PROMOTE", "home");
  expect(waits(soaking)).toMatchObject([
    { kind: "judgeAt", target: "home", drive: false },
    { kind: "judgeAt", target: "driven", timeMs: 120 * MINUTE_MS, drive: true },
  ]);
  expect(waits(course().to("awaitingPromotion")).map(({ drive }) => drive)).toEqual([false, false]);
  expect(waits(course().to("waves").obey())).toMatchObject([
    { timeMs: 95 * MINUTE_MS, drive: true },
    { drive: true },
  ]);
  expect(waits(course().to("done"))).toEqual([]);
});

test("every phase that waits names its deadline and what happens at it [rollout-1.4]", () => {
  const phases = ["drawing", "canary", "soaking", "awaitingPromotion", "waves", "verifying"] as const;
  const names = phases.map((phase) => deadlinesOf(course().to(phase).rollout)[1]);
  expect(names.map((one) => one?.name)).toEqual(["draw", "deploy", "judge", "approval", "wave", "verify"]);
  for (const one of names) expect(one?.afterwards.length).toBeGreaterThan(20);
});

test("a plan without anything new is refused, and the policy file makes a plan's policy", () => {
  const same = structuredClone(plan);
  same.targets[0]!.candidate.id = "good";
  expect(() => RolloutPlan.parse(same)).toThrow(/nothing to roll out/);
  const policy = parsePolicy(readFileSync(new URL("../policy.yaml", import.meta.url), "utf8"));
  for (const target of ["home", "driven"])
    expect(
      RolloutPolicy.parse(rolloutPolicy(policy, target, { canaryDevices: 1, windows: undefined })),
    ).toMatchObject({
      waves: expect.any(Array),
    });
});
