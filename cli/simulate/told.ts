import { durationText } from "../../pipeline/judge/verdict.ts";
import type { SeedRollout } from "./seed-rollout.ts";
import { causesOf, type Tally } from "./tally.ts";

/** One seed's rollout in a line or two. */
export function rolloutTold(rollout: SeedRollout): string {
  const { seed, ended, elapsedMs, exposed, wallSeconds, because } = rollout;
  const by =
    rollout.ended === "halted"
      ? ` by ${causesOf(rollout.halt)
          .map(({ what }) => what)
          .join(" and ")}`
      : "";
  return [
    `seed ${seed}: ${ended.toUpperCase()}${by} after ${durationText(elapsedMs)} of theirs and ${wallSeconds} s of ours, ${exposed} devices exposed`,
    `  ${because}`,
  ].join("\n");
}

export function tallyTold(tally: Tally): string {
  const { seeds, halted, promotable, by, elapsedMsMedian, elapsedMsMax } = tally;
  const undecided = seeds - halted - promotable;
  return [
    `halted on ${halted} of ${seeds} seeds`,
    ...(promotable > 0 ? [`might be promoted on ${promotable}`] : []),
    ...(undecided > 0 ? [`neither on ${undecided}`] : []),
    `median time to the verdict ${durationText(elapsedMsMedian)}, longest ${durationText(elapsedMsMax)}`,
    ...(by.length > 0 ? [`stopped by ${byTold(by)}`] : []),
  ].join("; ");
}

export function byTold(by: Tally["by"]): string {
  return by.map(({ what, seeds }) => `${what} (${seeds})`).join(", ");
}
