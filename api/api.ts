import * as z from "zod";
import { readRollout, type FoldedRollout } from "../pipeline/controller/folded.ts";
import type { KeptDocuments } from "../pipeline/controller/kept.ts";
import type { RolloutLog } from "../pipeline/controller/rollout-log.ts";
import type { TargetTime } from "../pipeline/controller/target-time.ts";
import type { Target } from "../pipeline/target.ts";
import { ApiError } from "./api-error.ts";

/** What every call needs: where rollouts are recorded, what was kept of them, and the targets' clocks. */
export interface Api {
  readonly log: RolloutLog;
  readonly kept: KeptDocuments;
  readonly targets: readonly Target[];
  readonly time: TargetTime;
}

/** What begins with another sign is none: the log keeps its list of them under such a name. */
export const RolloutInput = z.object({
  rollout: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, "a rollout is named by letters, digits and . _ -, 100 at most"),
});
export type RolloutInput = z.input<typeof RolloutInput>;

/** @throws ApiError where the input is not what the call takes. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ApiError("ERR_API_INPUT", `this cannot be asked: ${z.prettifyError(result.error)}`);
}

/** A rollout by its name, or by the beginning of it. @throws ApiError where there is none, or more than one. */
export async function findRollout({ log }: Api, rollout: string): Promise<FoldedRollout> {
  const exact = await readRollout(log, rollout);
  if (exact !== undefined) return exact;
  const listed = await log.list();
  const fitting = listed.filter((one) => one.rollout.startsWith(rollout) || one.commit.startsWith(rollout));
  const [only] = fitting;
  if (fitting.length > 1)
    throw new ApiError(
      "ERR_API_NOT_FOUND",
      `"${rollout}" is the beginning of ${fitting.map((one) => one.rollout).join(", ")}; name one of them`,
    );
  const found = only === undefined ? undefined : await readRollout(log, only.rollout);
  if (found !== undefined) return found;
  const known = listed.slice(0, 3).map((one) => one.rollout);
  throw new ApiError(
    "ERR_API_NOT_FOUND",
    `there is no rollout "${rollout}"; ${known.length === 0 ? "there is none at all: push something" : `the latest are ${known.join(", ")}`}`,
  );
}

/** The time of each target that a rollout goes to. */
export async function timesOf(
  { targets, time }: Api,
  folded: FoldedRollout,
): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  for (const { name } of folded.planned?.record.plan.targets ?? []) {
    const target = targets.find((one) => one.name === name);
    if (target === undefined)
      throw new ApiError(
        "ERR_API_NOT_FOUND",
        `${folded.id} goes to the target ${name}, which is not among ${targets.map((one) => one.name).join(", ")}; set COALMINE_TARGETS as it was`,
      );
    times[name] = await time.now(target);
  }
  return times;
}
