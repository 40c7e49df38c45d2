import type { Arrangement } from "./arrangement.ts";
import type { Comparison } from "./comparison.ts";
import { log, normalQuantile } from "./exact-math.ts";
import { ratioText } from "./verdict.ts";

/** What would settle a metric that is neither cleared nor halted, from the spread that was measured. */
export function whatWouldSettle(
  comparison: Comparison,
  arrangement: Arrangement,
  alphaPromote: number,
): string {
  const { metric, scale, lacks } = comparison;
  if (lacks !== undefined) return lacks;
  if (scale === undefined || metric.margin === undefined) return "data of it from both arms would settle it";
  const room = log(metric.margin) - scale.difference;
  const margin = ratioText(metric.margin);
  if (!(room > 0))
    return `the estimate is at or past the margin of ${margin}, so more of the same evidence would not clear it`;
  const z = normalQuantile(1 - alphaPromote) + normalQuantile(0.8);
  const perRoom = (z * scale.sd) / room;
  const weight = perRoom * perRoom;
  const devices = Math.ceil((arrangement.canaryUnits * weight) / scale.weight);
  if (devices <= arrangement.canaryUnits)
    return `the margin of ${margin} is within reach of ${arrangement.canaryUnits} canary devices: one more look may settle it`;
  return `about ${devices} canary devices instead of ${arrangement.canaryUnits}, with the baseline in proportion, would settle it at a margin of ${margin}`;
}
