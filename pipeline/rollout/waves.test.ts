import { expect, test } from "vitest";
import { isDeed } from "./action.ts";
import { Course } from "./course.ts";
import { actionsOf } from "./next.ts";
import { planOfWorld } from "./world.ts";

const plan = planOfWorld({ home: 3, driven: 6 });
const MINUTE_MS = 60_000;
const person = { by: "ada", reason: "seen enough" };
const course = () => new Course(plan);

test("waves follow the drawn order, each when the one before has arrived and soaked [rollout-4.1]", () => {
  const it = course().to("waves");
  const { order } = it.rollout.targets["driven"]!;
  const moved = () => it.deeds("moveThings").find(({ target }) => target === "driven")?.things;
  expect(moved()).toEqual(order.slice(2, 4));
  it.obey().sync().pass(0).pass(9).watch("WELL");
  expect(it.phase).toMatchObject({ wave: 0 });
  it.pass(1).watch("WELL");
  expect(it.phase).toMatchObject({ wave: 1 });
  expect(moved()).toEqual(order.slice(4, 6));
});

test("too few of a wave turn the rollout back; a few stragglers at the end are named [rollout-4.3]", () => {
  const wave = course().to("waves").obey();
  wave
    .sync(...wave.rollout.targets["driven"]!.order.slice(2, 3))
    .pass(1)
    .watch("WELL")
    .pass(61);
  expect(wave.phase).toMatchObject({
    phase: "rollingBack",
    because: expect.stringContaining("only 1 of 2 devices of wave 1 in driven"),
  });
  const late = course().to("verifying");
  const thing = late.rollout.targets["driven"]!.order.at(-1) ?? "";
  late.tell({ kind: "reported", target: "driven", thing, set: "good", deploymentId: "driven-main:1" });
  expect(late.phase.phase).toBe("verifying");
  late.obey().sync(thing).pass(61);
  expect(late.phase).toMatchObject({ phase: "done", outcome: "promoted", stragglers: [{ thing }] });
});

test.each(["waves", "verifying"] as const)(
  "a HALT of the watch turns everything back while %s, also when held [rollout-4.4]",
  (phase) => {
    for (const hold of [false, true]) {
      const it = course().to(phase);
      // One device is behind, so that the end does not come at once.
      const thing = it.rollout.targets["driven"]!.order[0] ?? "";
      it.tell({ kind: "reported", target: "driven", thing, set: "good", deploymentId: "old" }).obey().pass(5);
      if (hold) it.tell({ kind: "held", ...person });
      it.watch("HALT", "driven");
      expect(it.phase).toMatchObject({
        phase: "rollingBack",
        outcome: "halted",
        because: "driven: the watch says HALT",
      });
      it.watch("WELL").obey().sync().pass(0);
      expect(it.phase).toMatchObject({ phase: "done", outcome: "halted", stragglers: [] });
      for (const { set } of it.world.devices.values()) expect(set).toBe("good");
    }
  },
);

test("a wave that has arrived and soaked goes on only when it was seen well since then [rollout-4.5]", () => {
  const it = course().to("waves").obey().sync().pass(0).pass(9).watch("WELL").pass(10);
  // What was well before the end of the soak says nothing of its end.
  expect(it.phase).toMatchObject({ wave: 0 });
  const early = it.rollout.targets["driven"]!.watch!;
  it.watch("WELL", "home");
  expect(it.phase).toMatchObject({ wave: 0 });
  it.watch("WELL", "driven");
  expect(it.phase).toMatchObject({ wave: 1 });
  // Told late, what was seen of an earlier wave is not taken for this one.
  const late = { kind: "watched", target: "driven", digest: "d", because: "late" } as const;
  it.tell({ ...late, fromMs: early.fromMs, atMs: it.now.driven + MINUTE_MS, verdict: "WELL" });
  expect(it.rollout.targets["driven"]!.watch?.seen).toBeUndefined();
  it.tell({ ...late, fromMs: early.fromMs, atMs: it.now.driven, verdict: "HALT" });
  expect(it.phase.phase).toBe("rollingBack");
});

test("a wave that nobody could look at by its deadline turns the rollout back [rollout-4.5]", () => {
  const it = course().to("waves").obey().sync().pass(0).watch("WELL", "home").pass(61);
  expect(it.phase).toMatchObject({
    phase: "rollingBack",
    outcome: "failed",
    because: "nobody could look at wave 1 of home in time",
  });
});

test("waves are looked at on every pulse since they began, and a clock is driven until the look that ends the soak [rollout-4.4]", () => {
  const it = course().to("waves").obey().sync().pass(7);
  const waits = () => actionsOf(it.rollout).filter((action) => !isDeed(action));
  expect(waits()).toMatchObject([
    { target: "home", timeMs: it.now.home + 3 * MINUTE_MS, drive: true },
    { target: "driven", timeMs: it.now.driven + 3 * MINUTE_MS, drive: true },
  ]);
  it.pass(10);
  expect(waits()).toMatchObject([{ drive: true }, { drive: true }]);
  it.watch("WELL", "home");
  expect(waits()).toMatchObject([
    { target: "home", drive: false },
    { target: "driven", drive: true },
  ]);
});
