import * as z from "zod";
import { absoluteHalt } from "./absolute.ts";
import { Device, JudgePolicy, Look, Metric } from "./bundle.ts";
import { guard, type GuardFinding } from "./guard.ts";
import { durationText } from "./verdict.ts";

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
});
export type WaveSeen = z.infer<typeof WaveSeen>;

export interface Watched {
  readonly verdict: "HALT" | "WELL";
  readonly because: string;
  readonly guard: GuardFinding;
}

/**
 * Asks the guard and the limits about every device that has the release, beside those that do not have it yet; of the
 * last wave there are none left, and the tolerated rate stands alone. Pure, as the judge is.
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
  if (halting !== undefined) return { verdict: "HALT", because: halting, guard: finding };
  return {
    verdict: "WELL",
    because: `${finding.failed} of ${finding.updated} updated devices fail after ${durationText(look.elapsedMs)}, and no limit is broken.`,
    guard: finding,
  };
}
