import type { Look, Metric } from "./bundle.ts";
import type { Arms } from "./evidence.ts";
import type { GuardFinding } from "./guard.ts";
import { brokenLimits } from "./limits.ts";
import { durationText, rounded } from "./verdict.ts";

/** Why the guard or a limit halts at a look, in one sentence; undefined where neither does. `whose`: the limits' level. */
export function absoluteHalt(
  metrics: readonly Metric[],
  look: Look,
  arms: Arms,
  finding: GuardFinding,
  whose: string,
): string | undefined {
  const age = durationText(look.elapsedMs);
  if (finding.tripped)
    return `${finding.failed} of ${finding.updated} updated devices crash, fail or fell silent after ${age} (${finding.failing.slice(0, 5).join(", ")}${finding.failing.length > 5 ? ", …" : ""}), where ${Number((finding.toleratedRate * 100).toPrecision(3))} % is tolerated: evidence ${Math.round(finding.eValue)} to 1.`;
  const broken = brokenLimits(metrics, look, arms).find(({ baselineToo }) => !baselineToo);
  return (
    broken &&
    `${broken.metric.name} is ${rounded(broken.canary.value, 3)} over ${whose} after ${age}, past its limit of ${broken.limit}.`
  );
}
