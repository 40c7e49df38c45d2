import type { ComponentSet } from "./deployment.ts";

/** The wait stages of the pipeline, in order; the rollout alone answers them. */
export const waitStages = ["Canary", "Judge", "Promote", "Main", "Verify"] as const;
export type WaitStage = (typeof waitStages)[number];

/**
 * What the controller should do, as data. `key` names the deed: done twice under one key it must have the effect of
 * once. All but the last two kinds are given again until evidence says that they are done.
 */
export type Action =
  /** Reveal the seed that the plan committed to. */
  | { readonly kind: "draw"; readonly key: string; readonly target: string; readonly seedHash: string }
  /** `exactly`: whoever else is in the group goes back to the main group. */
  | {
      readonly kind: "moveThings";
      readonly key: string;
      readonly target: string;
      readonly group: string;
      readonly things: readonly string[];
      readonly exactly: boolean;
    }
  | {
      readonly kind: "createDeployment";
      readonly key: string;
      readonly target: string;
      readonly group: string;
      readonly components: ComponentSet;
      readonly because: string;
    }
  | {
      readonly kind: "cancelDeployment";
      readonly key: string;
      readonly target: string;
      readonly deploymentId: string;
    }
  | {
      readonly kind: "answerApproval";
      readonly key: string;
      readonly stage: WaitStage;
      readonly approved: boolean;
      readonly sentence: string;
    }
  | { readonly kind: "notify"; readonly key: string; readonly about: string; readonly sentence: string }
  | { readonly kind: "startRollout"; readonly key: string; readonly release: string }
  | Wait;

/**
 * Come back at this time of the target; for `judgeAt` with a look. `drive` says that the rollout waits for it, so that
 * a driven clock should run until then; without it, come back if the clock gets there anyway.
 */
export type Wait = {
  readonly kind: "judgeAt" | "wakeAt";
  readonly key: string;
  readonly target: string;
  readonly timeMs: number;
  readonly drive: boolean;
};

/** An action that stays in the outbox until it is done. */
export type Deed = Exclude<Action, Wait>;

export function isDeed(action: Action): action is Deed {
  return action.kind !== "judgeAt" && action.kind !== "wakeAt";
}
