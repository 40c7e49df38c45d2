import { expect, test } from "vitest";
import { isDeed, type Action, type Deed } from "./action.ts";
import { Course } from "./course.ts";
import { deadlinesOf } from "./deadlines.ts";
import { actionsOf } from "./next.ts";
import { Windows } from "./windows.ts";
import { planOfWorld, seedOf } from "./world.ts";

const MINUTE_MS = 60_000;
const person = { by: "ada", reason: "seen enough" };

/** The driven target begins something from 06:00 to 07:00 UTC only; times of a course count from midnight. */
const nightly = planOfWorld({ home: 3, driven: 6 });
nightly.targets[1]!.policy.windows = Windows.parse({
  windows: [{ from: "06:00", to: "07:00", zone: "UTC" }],
  zones: ["UTC"],
});
const waitOf = (it: Course, target: string) =>
  actionsOf(it.rollout).find((one): one is Exclude<Action, Deed> => !isDeed(one) && one.target === target);

test("a canary is drawn and given the release while its window is open, and waits for no other [rollout-7.1]", () => {
  const it = new Course(nightly);
  it.pass(61).obey().sync();
  expect(it.phase.phase).toBe("planned");
  expect(it.world.exposed("home")).toHaveLength(2);
  expect(it.rollout.targets["driven"]?.seed).toBeUndefined();
  expect(waitOf(it, "driven")).toMatchObject({ kind: "wakeAt", timeMs: 6 * 60 * MINUTE_MS, drive: true });
  it.now.driven = 415 * MINUTE_MS;
  expect(it.tell().deeds("draw")).toHaveLength(1);
  // Drawn in time and moved too late: the release waits for the next day, and so does the deadline.
  it.tell({ kind: "drawn", target: "driven", seed: seedOf("driven") });
  const [move] = it.deeds("moveThings");
  it.now.driven = 420 * MINUTE_MS;
  it.tell({ kind: "done", key: move!.key });
  expect(it.phase.phase).toBe("drawing");
  expect(it.world.exposed("driven")).toEqual([]);
  const nextDay = 30 * 60 * MINUTE_MS;
  expect(deadlinesOf(it.rollout)[1]).toMatchObject({ name: "draw", atMs: nextDay });
  expect(waitOf(it, "driven")).toMatchObject({ timeMs: nextDay, drive: true });
  it.now.driven = nextDay;
  it.tell();
  expect(it.phase.phase).toBe("canary");
  expect(it.deeds("createDeployment").map(({ group }) => group)).toEqual(["driven-canary"]);
});

test("a canary that was not moved when its window opens again has missed its deadline [rollout-7.3]", () => {
  const it = new Course(nightly).pass(415);
  it.tell({ kind: "drawn", target: "home", seed: seedOf("home") });
  it.tell({ kind: "drawn", target: "driven", seed: seedOf("driven") });
  it.tell(
    ...it
      .deeds("moveThings")
      .flatMap(({ key, target }) => (target === "home" ? { kind: "done" as const, key } : [])),
  );
  expect(it.phase.phase).toBe("drawing");
  it.now.driven = 29 * 60 * MINUTE_MS;
  expect(it.tell().phase.phase).toBe("drawing");
  it.now.driven = 30 * 60 * MINUTE_MS;
  expect(it.tell().phase).toMatchObject({
    phase: "rollingBack",
    because: expect.stringContaining("not drawn and moved in time"),
  });
});

/** The nightly plan at its promotion, in the afternoon. */
function promotedAtNoon(): Course {
  const it = new Course(nightly).pass(360).obey().obey().sync().pass(30).look("PROMOTE");
  expect(it.phase.phase).toBe("awaitingPromotion");
  return it.pass(330).tell({ kind: "promoted", ...person });
}

test("a wave begins while its window is open; its deadline counts from then, and what has begun goes on [rollout-7.1] [rollout-7.3]", () => {
  const it = promotedAtNoon();
  const exposed = (target: string) => it.rollout.targets[target]?.exposed.length;
  expect(it.phase).toMatchObject({ phase: "waves", wave: 0 });
  // Home has no window, and goes ahead.
  expect(it.deeds("moveThings").map(({ target }) => target)).toEqual(["home"]);
  expect([exposed("home"), exposed("driven")]).toEqual([3, 2]);
  it.obey().sync();
  const opens = 30 * 60 * MINUTE_MS;
  expect(waitOf(it, "driven")).toMatchObject({ kind: "judgeAt", drive: true });
  expect(deadlinesOf(it.rollout)[1]).toMatchObject({ name: "wave", atMs: opens + 60 * MINUTE_MS });
  it.now = { home: it.now.home + 20 * MINUTE_MS, driven: opens + 50 * MINUTE_MS };
  expect(
    it
      .tell()
      .deeds("moveThings")
      .map(({ target }) => target),
  ).toEqual(["driven"]);
  expect(deadlinesOf(it.rollout)[1]).toMatchObject({ atMs: opens + 110 * MINUTE_MS });
  // It arrives after the window has closed, and the next wave waits.
  it.now.driven = opens + 70 * MINUTE_MS;
  it.obey().sync();
  it.now.driven = opens + 80 * MINUTE_MS;
  expect(it.tell().phase).toMatchObject({ phase: "waves", wave: 1 });
  expect(exposed("driven")).toBe(4);
  it.now.driven = opens + 24 * 60 * MINUTE_MS;
  expect(it.tell() && exposed("driven")).toBe(6);
});

test("held before a wave begins or after, its deadline moves as long; a rollback waits for no window [rollout-7.1] [rollout-7.3]", () => {
  const it = promotedAtNoon();
  it.now.driven = 30 * 60 * MINUTE_MS;
  it.tell().tell({ kind: "held", ...person });
  it.now.driven += 40 * MINUTE_MS;
  it.tell({ kind: "resumed", ...person });
  expect(deadlinesOf(it.rollout)[1]).toMatchObject({ atMs: (30 * 60 + 100) * MINUTE_MS });
  it.now.driven += 12 * 60 * MINUTE_MS;
  const back = promotedAtNoon().look("HALT", "driven");
  expect(back.phase).toMatchObject({ phase: "rollingBack", outcome: "halted" });
  expect(back.deeds("createDeployment").map(({ group }) => group)).toEqual(["home-canary", "driven-canary"]);
});
