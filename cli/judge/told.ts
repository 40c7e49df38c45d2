import type { RolloutVerification } from "../../api/kept-verdicts.ts";
import type { Replay } from "../../pipeline/policy-replay.ts";
import { durationText, effectText, type MetricFinding, type Verdict } from "../../pipeline/judge/verdict.ts";

/** A verdict for a person: what, why, and each metric with its evidence. */
export function verdictTold(verdict: Verdict): string {
  const { devices, guard, metrics } = verdict;
  return [
    `${verdict.verdict} after ${durationText(verdict.elapsedMs)}, ${devices.canary} canary and ${devices.baseline} baseline devices${verdict.advisory ? ", picked by hand" : ""}`,
    verdict.because,
    ...metrics.map((finding) => `  ${finding.metric}: ${metricTold(finding)}`),
    ...(guard === null
      ? []
      : [
          `  guard: ${guard.failed} of ${guard.updated} updated devices fail, evidence ${Math.round(guard.eValue)} to 1`,
        ]),
    ...(verdict.smallestP === null
      ? []
      : [
          `  ${Number((verdict.spent * 100).toPrecision(3))} % of alpha is spent; the smallest p that this draw can reach is ${verdict.smallestP}`,
        ]),
  ].join("\n");
}

function metricTold(finding: MetricFinding): string {
  const { canaryLevel, baselineLevel, margin, cleared, lacks, halting } = finding;
  const parts = [`${canaryLevel ?? "?"} beside ${baselineLevel ?? "?"}`, effectText(finding)];
  if (margin !== null)
    parts.push(
      cleared === true ? `within its margin of ${margin}` : `not shown to be within its margin of ${margin}`,
    );
  if (lacks !== null) parts.push(lacks);
  if (!halting) parts.push("advisory");
  return parts.join("; ");
}

/** Look by look: when, what was said, what would have been; and the reason wherever the other policy's verdict changes. */
export function replayTold({ target, looks, cannot }: Replay): string {
  return [
    `${target}:`,
    `  ${"after".padEnd(8)}  ${"did say".padEnd(12)}  would say`,
    ...looks.map(({ elapsedMs, did, would }, index) => {
      const isNew = would.verdict !== (looks[index - 1]?.would.verdict ?? "WAIT");
      return `  ${durationText(elapsedMs).padEnd(8)}  ${did.verdict.padEnd(12)}  ${would.verdict}${isNew ? `: ${would.because}` : ""}`;
    }),
    ...cannot.map((sentence) => `  cannot be replayed: ${sentence}`),
  ].join("\n");
}

export function verificationTold({ rollout, targets }: RolloutVerification): string {
  return targets
    .map(({ target, looks, sha256, faults }) =>
      faults.length === 0
        ? `${target}: the draw and all ${looks} verdicts of ${rollout} follow from what was kept, byte for byte; bundle ${sha256 ?? ""}`
        : `${target}: ${faultsTold(faults)}`,
    )
    .join("\n");
}

export function faultsTold(faults: readonly string[]): string {
  return ["this does not fit:", ...faults.map((fault) => `  ${fault}`)].join("\n");
}
