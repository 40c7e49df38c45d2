import fc from "fast-check";
import { expect, test } from "vitest";
import { isDeed } from "./action.ts";
import { Course } from "./course.ts";
import { actionsOf } from "./next.ts";
import { Play } from "./play.ts";
import type { RolloutPlan } from "./plan.ts";
import { targetsOf } from "./state.ts";
import { planOfWorld } from "./world.ts";

const MINUTE_MS = 60_000;

/** A plan whose emergencies soak for five minutes, and their waves for two. */
function planOf(change: Partial<RolloutPlan["targets"][number]> = {}): RolloutPlan {
  const plan = planOfWorld({ home: 3, driven: 6 });
  const emergency = { soakMs: 5 * MINUTE_MS, waveSoakMs: 2 * MINUTE_MS };
  const targets = plan.targets.map((target) => ({
    ...target,
    ...change,
    policy: { ...target.policy, emergency },
  }));
  return { ...plan, targets };
}
const wants = (by: string) =>
  ({ kind: "emergencyPromoted", by, reason: `${by} has seen the alarm` }) as const;
const letThrough = (it: Course): Course => it.tell(wants("ada")).tell(wants("bo"));

test("one person opens the lane and nothing moves; another one completes it, and both are named with their reasons [rollout-7.1]", () => {
  const it = new Course(planOf()).to("soaking").pass(30).tell(wants("ada"));
  expect(it.refused).toEqual([]);
  expect(it.phase.phase).toBe("soaking");
  expect(it.rollout.promotedBy).toBeUndefined();
  expect(it.deeds("notify").find(({ about }) => about === "emergencyOpened")?.sentence).toContain(
    "another person has to want it as well",
  );
  it.tell(wants("bo"));
  expect(it.phase).toMatchObject({ phase: "waves", wave: 0 });
  expect(it.rollout.promotedBy).toBe("ada and bo");
  const answers = it.deeds("answerApproval").filter(({ stage }) => stage !== "Canary");
  expect(answers.map(({ stage, approved }) => [stage, approved])).toEqual([
    ["Judge", true],
    ["Promote", true],
  ]);
  for (const { sentence } of answers)
    expect(sentence).toContain("ada: ada has seen the alarm; bo: bo has seen the alarm");
  expect(it.tell(wants("eve")).refused).toEqual([
    "commit-1 cannot be promoted in an emergency while it is waves: ada and bo have let it through already",
  ]);
});

test.each(["ada", "Ada", " ADA ", "a.d.a", "\uff41da"])(
  "the same person twice is refused, also as %j [rollout-7.1]",
  (again) => {
    const it = new Course(planOf()).to("soaking").tell(wants("ada")).tell(wants(again));
    expect(it.refused).toEqual([
      `commit-1 cannot be let through by ${again} alone, who has opened the emergency lane: another person has to complete it`,
    ]);
    expect(it.phase.phase).toBe("soaking");
  },
);

test("held, rolled back or on its way already, nothing is let through [rollout-7.1]", () => {
  const held = new Course(planOf()).to("soaking").tell(wants("ada"));
  held.tell({ kind: "held", by: "ada", reason: "a visit" }).tell(wants("bo"));
  expect(held.refused).toEqual(["commit-1 cannot be promoted in an emergency while it is held"]);
  held.tell({ kind: "resumed", by: "ada", reason: "over" }).pass(5).tell(wants("bo"));
  expect(held.phase.phase).toBe("waves");
  const back = new Course(planOf()).to("soaking").look("HALT", "home").tell(wants("ada"));
  expect(back.refused).toEqual(["commit-1 cannot be promoted in an emergency while it is rollingBack"]);
});

test("let through before its canary is drawn, it waits for no pre-period and no verdict, but for the canary and the emergency's soak [rollout-7.2] [rollout-2.1]", () => {
  const it = letThrough(new Course(planOf()));
  expect(it.phase.phase).toBe("drawing");
  const waits = () => actionsOf(it.rollout).filter((action) => !isDeed(action));
  it.obey();
  expect(it.phase.phase).toBe("canary");
  it.obey();
  expect(it.pass(4).phase.phase).toBe("canary");
  it.sync();
  expect(it.phase.phase).toBe("soaking");
  expect(waits()).toMatchObject([
    { target: "home", timeMs: 5 * MINUTE_MS, drive: true },
    { target: "driven", timeMs: 5 * MINUTE_MS, drive: true },
  ]);
  // Nobody drives the clock for a verdict that nobody waits for.
  expect(it.pass(1).phase).toMatchObject({ phase: "waves", wave: 0 });
  it.obey().sync().pass(0).pass(1).watch("WELL");
  expect(it.phase).toMatchObject({ wave: 0 });
  expect(it.pass(1).watch("WELL").phase).toMatchObject({ wave: 1 });
  it.to("done");
  expect(it.phase).toMatchObject({ outcome: "promoted", because: expect.stringContaining("ada and bo") });
  it.obey();
  expect(it.world.deeds.flatMap((deed) => (deed.kind === "answerApproval" ? [deed.stage] : []))).toEqual([
    "Canary",
    "Judge",
    "Promote",
    "Main",
    "Verify",
  ]);
});

test("without an emergency line nothing but the verdict is left out: waves soak as they do [rollout-7.2]", () => {
  const it = letThrough(new Course(planOfWorld({ home: 3, driven: 6 })).to("canary"))
    .obey()
    .sync();
  expect(it.phase).toMatchObject({ phase: "waves", wave: 0 });
  it.obey().sync().pass(0).pass(9).watch("WELL");
  expect(it.phase).toMatchObject({ wave: 0 });
  expect(it.pass(1).watch("WELL").phase).toMatchObject({ wave: 1 });
});

test("a canary that does not take it turns back what was let through [rollout-7.2]", () => {
  const it = letThrough(new Course(planOf())).obey().obey().sync("driven-0", "driven-1", "driven-2");
  it.sync(...it.rollout.targets["driven"]!.order.slice(0, 1)).pass(61);
  expect(it.phase).toMatchObject({ phase: "rollingBack", outcome: "halted" });
});

test("what a target was promoted to by verdict before needs no canary; where one target was not, all wait for theirs [rollout-7.3]", () => {
  const known = letThrough(new Course(planOf({ knownGoodBy: "r0" }))).obey();
  expect(known.phase).toMatchObject({ phase: "waves", wave: 0 });
  expect(known.deeds("answerApproval")[0]).toMatchObject({
    stage: "Canary",
    approved: true,
    sentence: expect.stringContaining("needs no canary"),
  });
  expect(known.to("done").obey().world.exposed("driven")).toHaveLength(6);
  const [home, driven] = planOf().targets;
  const mixed = { ...planOf(), targets: [{ ...home!, knownGoodBy: "r0" }, driven!] };
  expect(letThrough(new Course(mixed)).obey().phase.phase).toBe("canary");
  // Known or not, one person does not do.
  expect(new Course(planOf({ knownGoodBy: "r0" })).tell(wants("ada")).phase.phase).toBe("planned");
});

test.each(["canary", "soaking", "waves", "verifying"] as const)(
  "HALT turns back what was let through, while %s [rollout-7.4]",
  (phase) => {
    const it = letThrough(new Course(planOf()));
    const steps = { drawing: () => it.obey(), canary: () => it.obey().sync(), soaking: () => it.pass(5) };
    for (let step = 0; step < 9 && it.phase.phase !== phase; step++) {
      const found = it.phase.phase;
      if (found in steps) steps[found as keyof typeof steps]();
      else it.obey().sync().pass(0).pass(2).watch("WELL");
    }
    expect(it.phase.phase).toBe(phase);
    it.look("HALT", "driven");
    expect(it.phase).toMatchObject({ phase: "rollingBack", outcome: "halted" });
    it.obey().sync().pass(0);
    expect(it.phase).toMatchObject({ phase: "done", outcome: "halted", stragglers: [] });
    for (const { set } of it.world.devices.values()) expect(set).toBe("good");
  },
);

test("whatever one person does, nothing is promoted that the judge has not spoken of [rollout-7.5]", () => {
  const sequences = fc.array(fc.nat(1_000_000), { minLength: 10, maxLength: 120 });
  let opened = 0;
  fc.assert(
    fc.property(fc.nat(6), sequences, fc.boolean(), (rounds, choices, isJudged) => {
      const play = new Play({
        people: ["ada", "Ada", "ADA."],
        everyLook: isJudged ? undefined : "WAIT",
      });
      for (let round = 0; round < rounds; round++) play.goodRound(round);
      for (const choice of choices) {
        play.act(choice);
        if (choice % 9 === 0) play.tell(wants("ada"));
        expect(play.rollout.emergency?.completed).toBeUndefined();
      }
      if (play.rollout.emergency !== undefined) opened++;
      if (isJudged) return;
      expect(play.rollout.promotedBy).toBeUndefined();
      for (const { plan } of targetsOf(play.rollout))
        expect(play.world.exposed(plan.name).length).toBeLessThanOrEqual(plan.policy.canaryDevices);
    }),
    { numRuns: 200, seed: 11, endOnFailure: false },
  );
  // The lane was opened often enough for its refusals to prove something.
  expect(opened).toBeGreaterThan(100);
});
