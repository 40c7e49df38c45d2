import * as z from "zod";
import { absoluteHalt } from "./absolute.ts";
import { Device, JudgePolicy, Look, Metric } from "./bundle.ts";
import { guard, type GuardFinding } from "./guard.ts";
import { durationText } from "./verdict.ts";
import { judgeStep, type StepFinding, WaveStep } from "./wave-step.ts";

/** All that is seen of a wave at a moment: keep it, and what was said of it can be computed again. */
export const WaveSeen = z.object({
  version: z.literal(1),
  rollout: z.string(),
  target: z.string(),
  devices: z.array(Device),
  /** Devices that were told to take the release by now: the canary, earlier waves and this one. */
  told: z.array(z.string()),
  metrics: z.array(Metric),
  guard: JudgePolicy.shape.guard,
  /** Since the wave began. */
  look: Look,
  /** With the first look after the wave's fixed time. */
  step: WaveStep.optional(),
});
export type WaveSeen = z.infer<typeof WaveSeen>;

export interface Watched {
  readonly verdict: "HALT" | "WELL";
  readonly because: string;
  readonly guard: GuardFinding;
  /** What this wave adds to the evidence of all, with the look that has its step. */
  readonly step: StepFinding | undefined;
}

/**
 * Asks the guard and the limits about every device that has the release, beside those that do not have it yet; of the
 * last wave there are none left, and the tolerated rate stands alone. Once a wave, those that joined are compared with
 * those that are left. Pure, as the judge is.
 * @see docs/spec/judge.md
 */
export function watch(seen: WaveSeen): Watched {
  const told = new Set(seen.told);
  const updated = new Set(seen.look.updated);
  // Told and not yet updated, a device belongs to neither side.
  const counts = seen.devices.map(({ thing }) => updated.has(thing) || !told.has(thing));
  const devices = seen.devices.filter((_, index) => counts[index]);
  const values = Object.fromEntries(
    Object.entries(seen.look.values).map(([metric, pairs]) => [
      metric,
      pairs.filter((_, index) => counts[index]),
    ]),
  );
  const look = { ...seen.look, values };
  const finding = guard({
    devices,
    canary: updated,
    updated: look.updated,
    failing: look.failing,
    ...seen.guard,
  });
  const arms = {
    deviceCount: devices.length,
    isCanary: Uint8Array.from(devices, ({ thing }) => (updated.has(thing) ? 1 : 0)),
  };
  const halting = absoluteHalt(seen.metrics, look, arms, finding, `${updated.size} updated devices`);
  const judged = seen.step === undefined ? undefined : judgeStep(seen.devices, seen.metrics, seen.step);
  const because = halting ?? judged?.halting;
  const found = { guard: finding, step: judged?.finding };
  if (because !== undefined) return { verdict: "HALT", because, ...found };
  return {
    verdict: "WELL",
    because: `${finding.failed} of ${finding.updated} updated devices fail after ${durationText(look.elapsedMs)}, and no limit is broken.`,
    ...found,
  };
}
