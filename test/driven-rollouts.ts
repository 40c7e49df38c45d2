import type { Closing } from "@coalmine/runtime";
import {
  startDrivenRollouts,
  type DrivenRollouts,
  type DrivenRolloutsOptions,
} from "../cli/simulate/driven-rollouts.ts";
import type { Places } from "../cli/system/state.ts";

const STEP_MS_MIN = 15_000;
const STEPS_MAX = 100;

/** A device as the control API's status has it. */
export interface SeenDevice {
  readonly thing: string;
  readonly power: boolean;
  readonly online: boolean;
  readonly components: readonly { readonly name: string; readonly version: string; readonly state: string }[];
}

/** Driven rollouts whose devices are seen, harmed and driven by a test. */
export interface WatchedRollouts extends DrivenRollouts {
  readonly now: () => Promise<number>;
  readonly runUntil: (timeMs: number) => Promise<void>;
  readonly devices: () => Promise<readonly SeenDevice[]>;
  /** False where the device has no such component running, or no power. */
  readonly fault: (fault: object) => Promise<boolean>;
}

export async function startWatchedRollouts(
  closing: Closing,
  at: Places,
  options: DrivenRolloutsOptions,
): Promise<WatchedRollouts> {
  const it = await startDrivenRollouts(closing, at, options);
  const { driven, region, api } = it;
  const now = () => api.time.now(region.target);
  return {
    ...it,
    now,
    runUntil: async (timeMs) => {
      let time = await now();
      // A thousand devices that install take minutes of ours, which is longer than a request waits.
      const stepMs = Math.max(STEP_MS_MIN, (timeMs - time) / STEPS_MAX);
      while (time < timeMs) {
        time = Math.min(timeMs, time + stepMs);
        await driven.control("run-until", { time });
      }
    },
    devices: async () => ((await driven.control("status", {})) as { devices: SeenDevice[] }).devices,
    fault: (fault) =>
      driven.control("fault", fault).then(
        () => true,
        () => false,
      ),
  };
}
