import { SeededRandom } from "@coalmine/runtime";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isDeed } from "./action.ts";
import type { Evidence } from "./evidence.ts";
import { actionsOf, next, replay, type RolloutEvent } from "./next.ts";
import type { RolloutPlan } from "./plan.ts";
import { startRollout, unjudgedDevices, type Rollout, type Times } from "./state.ts";
import { isOpen, MaintenanceWindow } from "./windows.ts";
import { planOfWorld, World } from "./world.ts";

const sizes = { home: 3, driven: 7 };
/** The second half of every hour nothing may begin in the driven region. */
const windowed = planOfWorld(sizes);
windowed.targets[1]!.policy.windows = {
  windows: Array.from({ length: 24 }, (_, hour) => {
    const text = String(hour).padStart(2, "0");
    return MaintenanceWindow.parse({ from: `${text}:00`, to: `${text}:30`, zone: "UTC" });
  }),
  zones: ["UTC"],
};
const itself = planOfWorld(sizes);
for (const { policy } of itself.targets) policy.promotes = "policy";
const plans: [RolloutPlan, ...RolloutPlan[]] = [planOfWorld(sizes), windowed, itself];
const BEGIN: Times = { home: 1_000_000, driven: 5_000_000 };
const STEP_MS = 20 * 60_000;

/**
 * Plays a rollout against the world, where every choice comes from a list of numbers: who acts next, what is lost, told
 * twice or late, when the controller crashes, what judge and people say.
 */
class Play {
  readonly plan: RolloutPlan;
  readonly world: World;
  readonly events: RolloutEvent[] = [];
  rollout: Rollout;
  now = { ...BEGIN };
  readonly #late: Evidence[] = [];

  constructor(plan: RolloutPlan) {
    this.plan = plan;
    this.world = new World(plan);
    this.rollout = startRollout(plan, BEGIN);
  }

  tell(...evidence: Evidence[]): void {
    const before = structuredClone(this.rollout);
    const input = this.rollout;
    this.events.push({ evidence, now: { ...this.now } });
    this.rollout = next(this.rollout, evidence, this.now).rollout;
    for (const { name, policy } of this.plan.targets)
      if (this.begun(this.rollout, name) > this.begun(input, name))
        expect(isOpen(policy.windows, this.now[name] ?? 0)).toBe(true);
    // Not on every step, for time's sake.
    if (this.events.length % 7 === 0) expect(input).toEqual(before);
    this.check();
  }

  /** Grows whenever a draw, a canary or a wave begins. */
  begun({ outbox, done, targets, plan }: Rollout, target: string): number {
    const draw = `${plan.rollout}/${target}/draw`;
    const isAsked = outbox[draw] !== undefined || done.includes(draw);
    return (targets[target]?.exposed.length ?? 0) + (isAsked ? 1 : 0);
  }

  act(choice: number): void {
    const pick = <T>(items: readonly T[]): T | undefined =>
      items[Math.floor(choice / 64) % Math.max(1, items.length)];
    const fate = Math.floor(choice / 7) % 8;
    switch (choice % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: {
        const deed = pick(actionsOf(this.rollout).filter(isDeed));
        if (deed === undefined) return;
        if (fate === 7 && choice % 5 === 0)
          return this.tell({ kind: "failed", key: deed.key, because: "the world says no" });
        return this.deliver(this.world.carryOut(deed), fate);
      }
      case 5:
      case 6:
      case 7:
      case 8: {
        // Device 2 of the driven fleet has been unplugged for good.
        const thing = pick([...this.world.devices.keys()].filter((one) => one !== "driven-2"));
        return this.deliver(thing === undefined ? undefined : this.world.sync(thing), fate);
      }
      case 9:
      case 10:
        this.now[fate % 2 === 0 ? "home" : "driven"]! += STEP_MS;
        return this.tell();
      case 11:
      case 12: {
        const verdict = (
          ["PROMOTE", "PROMOTE", "PROMOTE", "WAIT", "WAIT", "HALT", "INCONCLUSIVE", "PROMOTE"] as const
        )[fate];
        const target = pick(["home", "driven"]) ?? "home";
        const elapsedMs = this.now[target]! - (this.rollout.targets[target]?.assignedAtMs ?? 0);
        return this.deliver(
          {
            kind: "look",
            target,
            elapsedMs: Math.max(0, elapsedMs),
            digest: "d",
            verdict: verdict ?? "WAIT",
            because: "said so",
          },
          choice % 5,
        );
      }
      case 13: {
        const person = { by: "ada", reason: "because" };
        const wishes: Evidence[] = [
          { kind: "promoted", ...person },
          { kind: "promoted", ...person },
          { kind: "promoted", ...person },
          { kind: "held", ...person },
          { kind: "resumed", ...person },
          { kind: "rollbackRequested", ...person },
          { kind: "pushed", release: "commit-2", mode: "queue" },
          { kind: "pushed", release: "commit-3", mode: "supersede" },
        ];
        const wish = wishes[fate];
        return wish === undefined ? undefined : this.tell(wish);
      }
      case 14: {
        const late = this.#late.shift();
        return late === undefined ? undefined : this.tell(late);
      }
      default:
        // A crash: all that the controller has is what it kept.
        if (choice % 3 === 0) this.restart();
    }
  }

  /** A round in which nothing goes wrong, and a person promotes. */
  goodRound(round: number): void {
    const evidence = actionsOf(this.rollout).flatMap((action) => this.world.carryOut(action) ?? []);
    for (const thing of this.world.devices.keys()) evidence.push(...[this.world.sync(thing) ?? []].flat());
    for (const target of ["home", "driven"]) {
      evidence.push({
        kind: "look",
        target,
        elapsedMs: round,
        digest: "d",
        verdict: "PROMOTE",
        because: "fine",
      });
      this.now[target]! += this.rollout.phase.phase === "planned" ? 3 * STEP_MS : STEP_MS / 5;
    }
    if (this.rollout.phase.phase === "awaitingPromotion")
      evidence.push({ kind: "promoted", by: "ada", reason: "fine" });
    this.tell(...evidence);
  }

  deliver(evidence: Evidence | undefined, fate: number): void {
    if (evidence === undefined || fate === 1) return;
    if (fate === 2) this.#late.push(evidence);
    else if (fate === 3) this.tell(evidence, evidence);
    else if (fate === 4) {
      this.tell(evidence);
      this.#late.push(evidence);
    } else this.tell(evidence);
  }

  restart(): void {
    const again = replay(this.plan, BEGIN, JSON.parse(JSON.stringify(this.events)));
    expect(again).toEqual(this.rollout);
    this.rollout = again;
  }

  check(): void {
    for (const { name, policy, mainGroup } of this.plan.targets) {
      expect(unjudgedDevices(this.rollout, name)).toBeLessThanOrEqual(policy.unjudgedDevicesMax);
      if (this.rollout.promotedBy !== undefined) continue;
      expect(this.world.exposed(name).length).toBeLessThanOrEqual(policy.unjudgedDevicesMax);
      expect(this.world.revisions.get(mainGroup)).toEqual({ id: `${mainGroup}:1`, set: "good" });
    }
  }

  /** Nothing but time from here on: every deadline passes. */
  drain(): void {
    for (let wait = 0; wait < 60 && this.rollout.phase.phase !== "done"; wait++) {
      for (const action of actionsOf(this.rollout))
        if (!isDeed(action)) this.now[action.target] = action.timeMs + 60 * STEP_MS;
      this.tell();
    }
  }
}

const sequences = fc.array(fc.nat(1_000_000), { minLength: 10, maxLength: 120 });
const runs = { numRuns: 2000, seed: 20, endOnFailure: false };

test(
  "in any order, with losses, repeats and crashes: never too many unjudged devices, main as it was until promoted, nothing begun outside a window, and always an end that is told [rollout-1.1] [rollout-1.3] [rollout-1.4] [rollout-2.2] [rollout-5.3] [rollout-7.1]",
  { timeout: 240_000 },
  () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(fc.nat(20), sequences, fc.constantFrom(...plans), (rounds, choices, plan) => {
        const play = new Play(plan);
        // Trouble begins in any phase.
        for (let round = 0; round < rounds; round++) play.goodRound(round);
        for (const choice of choices) play.act(choice);
        play.drain();
        const { phase } = play.rollout;
        expect(phase.phase).toBe("done");
        if (phase.phase !== "done") return;
        ends.set(phase.outcome, (ends.get(phase.outcome) ?? 0) + 1);
        const told = "r1/notify/done";
        expect(play.rollout.outbox[told] ?? play.rollout.done.find((key) => key === told)).toBeDefined();
        if (phase.outcome === "promoted") {
          const missing = new Set(phase.stragglers.map(({ thing }) => thing));
          for (const device of play.world.devices.values())
            if (!missing.has(device.thing)) expect(device.set).toBe("new");
        } else if (phase.outcome !== "failed") {
          // Rolled back and verified: whoever may have had it really has the good one.
          for (const target of plan.targets)
            for (const thing of play.rollout.targets[target.name]?.exposed ?? [])
              expect(play.world.devices.get(thing)?.set).toBe("good");
        }
      }),
      runs,
    );
    // The sequences reach more than one kind of end, or they would prove little.
    expect([...ends.keys()]).toEqual(
      expect.arrayContaining(["promoted", "halted", "failed", "inconclusive", "superseded"]),
    );
  },
);

test(
  "a controller that works reaches a promoted end through the same losses [rollout-1.2] [rollout-4.2]",
  { timeout: 120_000 },
  () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const play = new Play(plans[0]);
        const random = new SeededRandom(seed);
        const fate = () => random.below(7);
        for (let round = 0; round < 400 && play.rollout.phase.phase !== "done"; round++) {
          for (const action of actionsOf(play.rollout))
            if (isDeed(action)) play.deliver(play.world.carryOut(action), fate());
          for (const thing of play.world.devices.keys()) play.deliver(play.world.sync(thing), fate());
          for (const target of ["home", "driven"])
            play.deliver(
              { kind: "look", target, elapsedMs: round, digest: "d", verdict: "PROMOTE", because: "fine" },
              fate(),
            );
          if (play.rollout.phase.phase === "awaitingPromotion")
            play.tell({ kind: "promoted", by: "ada", reason: "fine" });
          if (round % 3 === 0)
            for (const target of ["home", "driven"])
              play.now[target]! += play.rollout.phase.phase === "planned" ? 61 * 60_000 : 60_000;
          play.tell();
        }
        expect(play.rollout.phase).toMatchObject({ phase: "done", outcome: "promoted", stragglers: [] });
      }),
      { numRuns: 15, seed: 7 },
    );
  },
);
