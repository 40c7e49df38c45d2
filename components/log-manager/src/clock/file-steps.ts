import * as z from "zod";
import type { Tracked } from "../tracked.ts";
import { TIME_MAX } from "../log-event.ts";
import type { ClockStep } from "./clock-watch.ts";

/** Steps that one file remembers; beyond them the oldest is forgotten, and its lines are off by as much. */
export const STEPS_MAX = 8;

/** What was in a file when the clock was set: in [from, sure) surely by the old clock, in [sure, until) perhaps. */
export const FileStep = z.object({
  from: z.int().nonnegative(),
  sure: z.int().nonnegative(),
  until: z.int().nonnegative(),
  stepMs: z.int(),
  oldMs: z.int(),
});
export type FileStep = z.infer<typeof FileStep>;

/**
 * A step as it concerns a file that had `sureBytes` or more when the clock was set, and `sizeBytes` at most; nothing
 * where nothing of it was written while the clock was wrong.
 */
export function fileStep(
  { stepMs, oldMs, wasRight }: ClockStep,
  { watchedFrom }: Pick<Tracked, "watchedFrom">,
  sureBytes: number,
  sizeBytes: number,
): FileStep | undefined {
  const from = watchedFrom ?? sizeBytes;
  if (wasRight || from >= sizeBytes) return undefined;
  const sure = Math.min(Math.max(from, sureBytes), sizeBytes);
  return { from, sure, until: sizeBytes, stepMs, oldMs };
}

/** What is known of the file after that step. */
export function withStep(
  tracked: Tracked,
  { wasRight }: ClockStep,
  step: FileStep | undefined,
  sizeBytes: number,
): Tracked {
  if (wasRight) return { ...tracked, watchedFrom: sizeBytes };
  // All that it concerns is in the cloud.
  if (step === undefined || step.until <= tracked.position.offset) return tracked;
  return { ...tracked, clockSteps: [...tracked.clockSteps, step].slice(-STEPS_MAX) };
}

/**
 * Of a copy: what is known of the original as far as that was seen, and behind it what is known of the copy itself. What
 * the original held there when the copy was made already is another content's.
 */
export function continued(
  original: readonly FileStep[],
  seenBytes: number,
  copy: readonly FileStep[],
): FileStep[] {
  const isOfCopy = ({ stepMs, oldMs }: FileStep): boolean =>
    copy.some((step) => step.stepMs === stepMs && step.oldMs === oldMs);
  const steps = [
    ...original.map((step) => (isOfCopy(step) ? { ...step, until: Math.min(step.until, seenBytes) } : step)),
    ...copy.map((step) => ({
      ...step,
      from: Math.max(step.from, seenBytes),
      sure: Math.max(step.sure, seenBytes),
    })),
  ];
  return steps.filter(({ from, until }) => from < until).slice(-STEPS_MAX);
}

/** A time as the clock has it now; `isCorrected` where another one is stated. */
export interface EventTime {
  readonly timestampMs: number;
  readonly isCorrected: boolean;
}

/** The time of what was read at `offset` before the step was known of. */
export function retimed(
  { timestampMs, isCorrected, offset }: EventTime & { readonly offset: number },
  step: FileStep | undefined,
): EventTime {
  const correctMs = step === undefined ? timestampMs : correctedMs([step], offset, timestampMs, true);
  return { timestampMs: correctMs, isCorrected: isCorrected || correctMs !== timestampMs };
}

/**
 * What the time of what stands at `offset` is by the clock as it was last set. `isStated`: the line itself says it;
 * another time (a file's) may be a later clock's, wherever the line stands.
 */
export function correctedMs(
  steps: readonly FileStep[],
  offset: number,
  timestampMs: number,
  isStated: boolean,
): number {
  let correctMs = timestampMs;
  for (const { from, sure, until, stepMs, oldMs } of steps) {
    if (offset < from || offset >= until) continue;
    // Set back, the new clock shows again what the old one did: what is nearer to the old one is taken for its own.
    const isOfOldClock = correctMs <= oldMs && (stepMs > 0 || correctMs > oldMs + stepMs / 2);
    if ((isStated && offset < sure) || isOfOldClock) correctMs += stepMs;
  }
  // A line may state what no clock shows.
  return correctMs >= 0 && correctMs <= TIME_MAX ? correctMs : timestampMs;
}
