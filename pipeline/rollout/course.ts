import type { Deed } from "./action.ts";
import { Evidence } from "./evidence.ts";
import { actionsOf, next } from "./next.ts";
import type { RolloutPlan } from "./plan.ts";
import { startRollout, type Phase, type Rollout } from "./state.ts";
import { World } from "./world.ts";

const MINUTE_MS = 60_000;
const person = { by: "ada", reason: "seen enough" };

/** A rollout in a world where everything works, up to the phase a test begins in. */
export class Course {
  readonly world: World;
  now = { home: 0, driven: 0 };
  rollout: Rollout;
  refused: readonly string[] = [];

  constructor(plan: RolloutPlan) {
    this.world = new World(plan);
    this.rollout = startRollout(plan, this.now);
  }

  tell(...evidence: Evidence[]): this {
    const step = next(
      this.rollout,
      evidence.map((one) => Evidence.parse(one)),
      this.now,
    );
    this.rollout = step.rollout;
    this.refused = step.refused;
    return this;
  }

  pass(minutes: number): this {
    this.now = { home: this.now.home + minutes * MINUTE_MS, driven: this.now.driven + minutes * MINUTE_MS };
    return this.tell();
  }

  /** All that is asked for is done, until the phase changes or nothing new is asked. */
  obey(): this {
    const { phase } = this.phase;
    for (let turn = 0; turn < 10; turn++)
      for (const action of actionsOf(this.rollout)) {
        if (this.phase.phase !== phase) return this;
        const answer = this.world.carryOut(action);
        if (answer !== undefined) this.tell(answer);
      }
    return this;
  }

  sync(...except: string[]): this {
    for (const thing of this.world.devices.keys()) {
      const report = except.includes(thing) ? undefined : this.world.sync(thing);
      if (report !== undefined) this.tell(report);
    }
    return this;
  }

  look(verdict: "PROMOTE" | "HALT" | "WAIT" | "INCONCLUSIVE", ...targets: string[]): this {
    for (const target of targets.length === 0 ? ["home", "driven"] : targets)
      this.tell({
        kind: "look",
        target,
        elapsedMs: this.now.driven,
        digest: "d",
        verdict,
        because: `judge says ${verdict}`,
      });
    return this;
  }

  /** What is seen of each target's wave at this moment; nothing where none is under way. */
  watch(verdict: "HALT" | "WELL", ...targets: string[]): this {
    for (const target of targets.length === 0 ? ["home", "driven"] : targets) {
      const fromMs = this.rollout.targets[target]?.watch?.fromMs;
      const atMs = this.rollout.now[target];
      if (fromMs !== undefined && atMs !== undefined && atMs > fromMs)
        this.tell({
          kind: "watched",
          target,
          fromMs,
          atMs,
          digest: "d",
          verdict,
          because: `the watch says ${verdict}`,
        });
    }
    return this;
  }

  to(phase: Phase["phase"]): this {
    const steps: Partial<Record<Phase["phase"], () => unknown>> = {
      planned: () => this.pass(60),
      drawing: () => this.obey(),
      canary: () => this.obey().sync(),
      soaking: () => this.pass(30).look("PROMOTE"),
      awaitingPromotion: () => this.tell({ kind: "promoted", ...person }),
      waves: () => this.obey().sync().pass(0).pass(10).watch("WELL"),
      verifying: () => this.obey().sync(),
    };
    for (let step = 0; step < 20 && this.phase.phase !== phase; step++) steps[this.phase.phase]?.();
    if (this.phase.phase !== phase) throw new Error(`reached ${this.phase.phase}, not ${phase}`);
    return this;
  }

  get phase(): Phase {
    return this.rollout.phase;
  }

  deeds<Kind extends Deed["kind"]>(kind: Kind): Extract<Deed, { kind: Kind }>[] {
    return Object.values(this.rollout.outbox).filter(
      (deed): deed is Extract<Deed, { kind: Kind }> => deed.kind === kind,
    );
  }
}
