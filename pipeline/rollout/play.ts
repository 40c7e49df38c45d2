import { expect } from "vitest";
import { isDeed } from "./action.ts";
import { isDrawAsked } from "./enter.ts";
import type { Evidence } from "./evidence.ts";
import { actionsOf, next, replay, type RolloutEvent } from "./next.ts";
import type { RolloutPlan } from "./plan.ts";
import {
  isLetThrough,
  isUndecided,
  startRollout,
  targetsOf,
  unjudgedDevices,
  type Rollout,
  type Times,
} from "./state.ts";
import { isOpen, MaintenanceWindow } from "./windows.ts";
import { planOfWorld, World } from "./world.ts";

type Verdict = Extract<Evidence, { kind: "look" }>["verdict"];

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
export const plans: [RolloutPlan, ...RolloutPlan[]] = [planOfWorld(sizes), windowed, itself];
const BEGIN: Times = { home: 1_000_000, driven: 5_000_000 };
const STEP_MS = 20 * 60_000;

/**
 * Plays a rollout against the world, where every choice comes from a list of numbers: who acts next, what is lost, told
 * twice or late, when the controller crashes, what judge and people say.
 */
export class Play {
  readonly plan: RolloutPlan;
  readonly world: World;
  readonly events: RolloutEvent[] = [];
  rollout: Rollout;
  now = { ...BEGIN };
  readonly #late: Evidence[] = [];
  readonly #people: readonly string[];
  readonly #everyLook: Verdict | undefined;

  constructor({
    plan = plans[0],
    people = ["ada", "bo"],
    everyLook,
  }: {
    plan?: RolloutPlan;
    people?: readonly string[];
    /** What the judge says whenever it is asked, in place of one thing and another. */
    everyLook?: Verdict | undefined;
  } = {}) {
    this.plan = plan;
    this.world = new World(plan);
    this.rollout = startRollout(plan, BEGIN);
    this.#people = people;
    this.#everyLook = everyLook;
  }

  tell(...evidence: Evidence[]): void {
    const before = structuredClone(this.rollout);
    const input = this.rollout;
    const wasPromoted = input.promotedBy !== undefined;
    this.events.push({ evidence, now: { ...this.now } });
    this.rollout = next(this.rollout, evidence, this.now).rollout;
    for (const { name, policy } of this.plan.targets)
      if (this.begun(this.rollout, name) > this.begun(input, name))
        expect(isOpen(policy.windows, this.now[name] ?? 0)).toBe(true);
    // Not on every step, for time's sake.
    if (this.events.length % 7 === 0) expect(input).toEqual(before);
    this.check();
    // Promoted by a person whom the judge has told enough, or by two.
    if (!wasPromoted && this.rollout.promotedBy !== undefined && !isLetThrough(this.rollout))
      expect(targetsOf(this.rollout).filter(({ state }) => isUndecided(state))).toEqual([]);
  }

  /** Grows whenever a draw, a canary or a wave begins. */
  begun(rollout: Rollout, target: string): number {
    return (rollout.targets[target]?.exposed.length ?? 0) + (isDrawAsked(rollout, target) ? 1 : 0);
  }

  act(choice: number): void {
    const pick = <T>(items: readonly T[]): T | undefined =>
      items[Math.floor(choice / 128) % Math.max(1, items.length)];
    const fate = Math.floor(choice / 16) % 8;
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
        const verdict =
          this.#everyLook ??
          (["PROMOTE", "PROMOTE", "PROMOTE", "WAIT", "WAIT", "HALT", "INCONCLUSIVE", "PROMOTE"] as const)[
            fate
          ];
        const target = pick(["home", "driven"]) ?? "home";
        // Once a wave is under way it is watched as well.
        const watch = this.rollout.targets[target]?.watch;
        if (watch !== undefined && choice % 2 === 0) return this.deliver(this.seen(target, fate), choice % 5);
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
        const person = { by: pick(this.#people) ?? "ada", reason: "because" };
        const wishes: Evidence[] = [
          { kind: "promoted", ...person },
          { kind: "promoted", ...person },
          { kind: "emergencyPromoted", ...person },
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
        verdict: this.#everyLook ?? "PROMOTE",
        because: "fine",
      });
      evidence.push(...[this.seen(target, 0) ?? []].flat());
      this.now[target]! += this.rollout.phase.phase === "planned" ? 3 * STEP_MS : STEP_MS / 5;
    }
    if (this.rollout.phase.phase === "awaitingPromotion")
      evidence.push({ kind: "promoted", by: "ada", reason: "fine" });
    this.tell(...evidence);
  }

  /** What is seen of a target's wave: one time in eight, and never in a good round, a HALT. */
  seen(target: string, fate: number): Evidence | undefined {
    const watch = this.rollout.targets[target]?.watch;
    if (watch === undefined) return undefined;
    const verdict = fate === 7 ? ("HALT" as const) : ("WELL" as const);
    const { fromMs } = watch;
    return {
      kind: "watched",
      target,
      fromMs,
      atMs: this.now[target] ?? fromMs,
      digest: "d",
      verdict,
      because: "seen so",
    };
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
