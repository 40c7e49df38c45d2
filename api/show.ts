import { readProgress, type Progress } from "../pipeline/controller/progress.ts";
import type { Region } from "../pipeline/controller/region.ts";
import type { RolloutInput, Api } from "./api.ts";
import { describe, standOf, type RolloutDescription, type TargetDescription } from "./describe.ts";

/** A rollout with where every device is. */
export interface ShownRollout extends Omit<RolloutDescription, "targets"> {
  readonly targets: readonly ShownTarget[];
}

export interface ShownTarget extends TargetDescription {
  /** Undefined where the target's region was not handed in. */
  readonly progress: Progress | undefined;
}

/** One rollout and each of its devices; asks the targets' regions, which `describeRollout` does not. */
export async function showRollout(
  api: Api,
  regions: readonly Region[],
  input: RolloutInput,
): Promise<ShownRollout> {
  const stand = await standOf(api, input);
  const described = await describe(api, stand);
  const progress = stand.rollout === undefined ? {} : await readProgress(stand.rollout, regions, api.kept);
  return {
    ...described,
    targets: described.targets.map((target) => ({ ...target, progress: progress[target.target] })),
  };
}
