import { invariant } from "@coalmine/runtime";
import { isDeed, type Deed } from "./action.ts";
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
import { planAfter, planOfWorld, World } from "./world.ts";

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
/** What is played: a plan that a person promotes, one with maintenance windows, one that promotes by itself. */
export const plans: [RolloutPlan, ...RolloutPlan[]] = [planOfWorld(sizes), windowed, itself];

const BEGIN: Times = { home: 1_000_000, driven: 5_000_000 };
const STEP_MS = 20 * 60_000;
const TARGETS = ["home", "driven"] as const;
/** Rounds in which all that is wanted is done, until nothing is. */
const FINISH_ROUNDS_MAX = 20;

/**
 * Plays rollouts against the world, one after the other, where every choice comes from a list of numbers: who acts next,
 * what is lost, told twice or late, when the controller crashes, who joins, what judge and people say. What must hold at
 * every step is checked at every step.
 */
export class Play {
  plan: RolloutPlan;
  readonly world: World;
  events: RolloutEvent[] = [];
  rollout: Rollout;
  now = { ...BEGIN };
  /** Which rollout did something to which group, in order. */
  readonly touched: { readonly group: string; readonly rollout: string }[] = [];
  #began = { ...BEGIN };
  #late: Evidence[] = [];
  #mains: ReadonlyMap<string, string | undefined>;
  readonly #people: readonly string[];
  readonly #everyLook: Verdict | undefined;

  /** `everyLook`: what the judge says whenever it is asked, in place of one thing and another. */
  constructor({
    plan = plans[0],
    people = ["ada", "bo"],
    everyLook,
  }: {
    plan?: RolloutPlan;
    people?: readonly string[];
    everyLook?: Verdict | undefined;
  } = {}) {
    this.plan = plan;
    this.world = new World(plan);
    this.rollout = startRollout(plan, BEGIN);
    this.#mains = this.#revisionsOfMain();
    this.#people = people;
    this.#everyLook = everyLook;
  }

  tell(...evidence: Evidence[]): void {
    const input = this.rollout;
    // Not on every step, for time's sake.
    const before = this.events.length % 7 === 0 ? JSON.stringify(input) : undefined;
    this.events.push({ evidence, now: { ...this.now } });
    this.rollout = next(input, evidence, this.now).rollout;
    invariant(before === undefined || before === JSON.stringify(input), "what was handed in was changed");
    for (const { name, policy } of this.plan.targets)
      invariant(
        this.#begun(this.rollout, name) <= this.#begun(input, name) ||
          isOpen(policy.windows, this.now[name] ?? 0),
        `${name}: something began outside of its maintenance window`,
      );
    const isPromotedNow = input.promotedBy === undefined && this.rollout.promotedBy !== undefined;
    invariant(
      !isPromotedNow ||
        isLetThrough(this.rollout) ||
        targetsOf(this.rollout).every(({ state }) => !isUndecided(state)),
      "one person promoted what the judge had not spoken of",
    );
    this.#check();
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
        return this.deliver(this.carryOut(deed), fate);
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
        this.now[TARGETS[fate % 2] ?? "home"]! += STEP_MS;
        return this.tell();
      case 11:
      case 12: {
        const target = pick(TARGETS) ?? "home";
        // Once a wave is under way it is watched as well.
        const isWave = this.rollout.targets[target]?.watch !== undefined && choice % 2 === 0;
        return this.deliver(isWave ? this.seen(target, fate) : this.#look(target, fate), choice % 5);
      }
      case 13: {
        const wish = this.#wish(pick(this.#people) ?? "ada", fate);
        return wish === undefined ? undefined : this.tell(wish);
      }
      case 14: {
        const late = this.#late.shift();
        return late === undefined ? undefined : this.tell(late);
      }
      default:
        // A crash: all that the controller has is what it kept.
        if (choice % 3 === 0) this.restart();
        else if (this.world.devices.size < 12) this.#join(pick(TARGETS) ?? "home");
    }
  }

  /** A round in which nothing goes wrong, and a person promotes. */
  goodRound(round: number): void {
    const evidence = actionsOf(this.rollout).flatMap((action) =>
      isDeed(action) ? (this.carryOut(action) ?? []) : [],
    );
    for (const thing of this.world.devices.keys()) evidence.push(...[this.world.sync(thing) ?? []].flat());
    for (const target of TARGETS) {
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
    const { fromMs } = watch;
    const verdict = fate === 7 ? "HALT" : "WELL";
    const atMs = this.now[target] ?? fromMs;
    return { kind: "watched", target, fromMs, atMs, digest: "d", verdict, because: "seen so" };
  }

  carryOut(deed: Deed): Evidence | undefined {
    if (deed.kind === "createDeployment" || deed.kind === "moveThings")
      this.touched.push({ group: deed.group, rollout: this.plan.rollout });
    return this.world.carryOut(deed);
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

  /** All that the controller has is its events, as they are written down: they make the very same rollout. */
  restart(): void {
    const events: RolloutEvent[] = JSON.parse(JSON.stringify(this.events));
    const again = replay(this.plan, this.#began, events);
    invariant(
      JSON.stringify(again) === JSON.stringify(this.rollout),
      "the events make another rollout than the one that was",
    );
    this.rollout = again;
  }

  /** Nothing but time from here on: every deadline passes. */
  drain(): void {
    for (let wait = 0; wait < 60 && this.rollout.phase.phase !== "done"; wait++) {
      for (const action of actionsOf(this.rollout))
        if (!isDeed(action)) this.now[action.target] = action.timeMs + 60 * STEP_MS;
      this.tell();
    }
  }

  /** Does what is left to do, and lets the next release have its rollout: never before nothing is left. */
  beginNext(number: number): void {
    for (let round = 0; round < FINISH_ROUNDS_MAX && Object.keys(this.rollout.outbox).length > 0; round++)
      for (const deed of Object.values(this.rollout.outbox)) this.tell(...[this.carryOut(deed) ?? []].flat());
    invariant(
      this.rollout.phase.phase === "done" && Object.keys(this.rollout.outbox).length === 0,
      `${this.plan.rollout} does not come to its end`,
    );
    this.plan = planAfter(this.plan, this.world, number);
    this.world.learn(this.plan);
    this.events = [];
    this.#late = [];
    this.#began = { ...this.now };
    this.#mains = this.#revisionsOfMain();
    this.rollout = startRollout(this.plan, this.now);
  }

  /** Grows whenever a draw, a canary or a wave begins. */
  #begun(rollout: Rollout, target: string): number {
    return (rollout.targets[target]?.exposed.length ?? 0) + (isDrawAsked(rollout, target) ? 1 : 0);
  }

  #look(target: string, fate: number): Evidence {
    const looks = [
      "PROMOTE",
      "PROMOTE",
      "PROMOTE",
      "WAIT",
      "WAIT",
      "HALT",
      "INCONCLUSIVE",
      "PROMOTE",
    ] as const;
    const elapsedMs = Math.max(0, this.now[target]! - (this.rollout.targets[target]?.assignedAtMs ?? 0));
    const verdict = this.#everyLook ?? looks[fate] ?? "WAIT";
    return { kind: "look", target, elapsedMs, digest: "d", verdict, because: "said so" };
  }

  #wish(by: string, fate: number): Evidence | undefined {
    const person = { by, reason: "because" };
    const wishes: Evidence[] = [
      { kind: "promoted", ...person },
      { kind: "promoted", ...person },
      { kind: "emergencyPromoted", ...person },
      { kind: "held", ...person },
      { kind: "resumed", ...person },
      { kind: "rollbackRequested", ...person },
      { kind: "pushed", release: "commit-8", mode: "queue" },
      { kind: "pushed", release: "commit-9", mode: "supersede" },
    ];
    return wishes[fate];
  }

  #join(target: string): void {
    const main = this.plan.targets.find(({ name }) => name === target)?.mainGroup;
    if (main !== undefined) this.world.join(target, main);
    this.#check();
  }

  #check(): void {
    for (const { name, policy, mainGroup, candidate } of this.plan.targets) {
      const { unjudgedDevicesMax } = policy;
      invariant(
        unjudgedDevices(this.rollout, name) <= unjudgedDevicesMax,
        `${name}: too many unjudged devices by the rollout's own count`,
      );
      if (this.rollout.promotedBy !== undefined) continue;
      invariant(
        this.world.exposed(name, candidate.id).length <= unjudgedDevicesMax,
        `${name}: too many devices may run what nobody has judged`,
      );
      invariant(
        this.world.revisions.get(mainGroup)?.id === this.#mains.get(mainGroup),
        `${mainGroup} was given something new before anybody promoted it`,
      );
    }
    const { phase } = this.rollout.phase;
    invariant(
      phase === "done" || Object.values(this.rollout.outbox).every(({ kind }) => kind !== "startRollout"),
      "the next rollout was asked for before this one had ended",
    );
  }

  #revisionsOfMain(): Map<string, string | undefined> {
    return new Map(
      this.plan.targets.map(({ mainGroup }) => [mainGroup, this.world.revisions.get(mainGroup)?.id]),
    );
  }
}
