import type { Bundle } from "./judge/bundle.ts";
import { judge } from "./judge/judge.ts";
import { durationText, type Verdict } from "./judge/verdict.ts";
import type { MetricSource } from "./policy-metric.ts";
import { judging, metricsOf, PolicyError, targetPolicy, type Policy } from "./policy.ts";

export interface ReplayedLook {
  readonly elapsedMs: number;
  readonly did: { readonly verdict: string; readonly because: string };
  readonly would: Verdict;
}

export interface Replay {
  readonly target: string;
  readonly looks: readonly ReplayedLook[];
  /** What the other policy asks for and the past cannot answer, a sentence each. */
  readonly cannot: readonly string[];
}

type PastLook = { readonly elapsedMs: number; readonly verdict: string; readonly because: string };

/**
 * A past rollout as another policy would have had it judged, look by look. Values are found by where they come from,
 * not by a metric's name. @throws PolicyError where nothing of what the policy compares was read
 */
export function replayPolicy(bundle: Bundle, was: Policy, policy: Policy, past: readonly PastLook[]): Replay {
  const { target } = bundle;
  const wanted = metricsOf(policy, targetPolicy(policy, target));
  const read = metricsOf(was, targetPolicy(was, target));
  const nameOf = new Map(read.map(({ name, of }) => [JSON.stringify(of), name]));
  const oldName = ({ of }: { of: MetricSource }) => nameOf.get(JSON.stringify(of));
  const unread = wanted.filter((metric) => oldName(metric) === undefined);
  if (unread.length === wanted.length)
    throw new PolicyError(
      `nothing that the policy compares in ${target} was read at the time; read were ${read.map(({ name, of }) => `"${name}" (${sourceText(of)})`).join(", ")}`,
    );
  const { metrics, policy: judgePolicy } = judging(policy, target);
  const valuesOf = (values: Bundle["before"]): Bundle["before"] =>
    Object.fromEntries(
      wanted.flatMap((metric) => {
        const pairs = values[oldName(metric) ?? ""];
        return pairs === undefined ? [] : [[metric.name, pairs]];
      }),
    );
  const replayed: Bundle = {
    ...bundle,
    metrics: metrics.filter(({ name }) => unread.every((metric) => metric.name !== name)),
    policy: judgePolicy,
    before: valuesOf(bundle.before),
    looks: bundle.looks.map((look) => ({ ...look, values: valuesOf(look.values) })),
  };
  const looks = past.map(({ elapsedMs, verdict, because }, index) => ({
    elapsedMs,
    did: { verdict, because },
    would: judge({ ...replayed, looks: replayed.looks.slice(0, index + 1) }),
  }));
  return {
    target,
    looks,
    cannot: [
      ...unread.map(
        ({ name, of }) =>
          `"${name}" is left out: ${sourceText(of)} was not read at the time, so nothing is known of it`,
      ),
      ...whatDiffers(bundle, was, policy),
      ...whatIsOpen(looks.at(-1), judgePolicy.horizonMs),
    ],
  };
}

/** What was done once and for all, however the policy would have it. */
function whatDiffers({ target, draw }: Bundle, was: Policy, policy: Policy): string[] {
  const [then, now] = [targetPolicy(was, target), targetPolicy(policy, target)];
  const sentences: string[] = [];
  if (JSON.stringify(then.canaryDevices) !== JSON.stringify(now.canaryDevices))
    sentences.push(
      `${draw.canary.length} canary devices were drawn, and whoever else this policy would have drawn had no release to show`,
    );
  if (then.prePeriod !== now.prePeriod)
    sentences.push(
      `the time before is the ${durationText(then.prePeriod)} that were read, not ${durationText(now.prePeriod)}`,
    );
  if (then.lookEvery !== now.lookEvery)
    sentences.push(
      `looks are those that were taken, every ${durationText(then.lookEvery)}, not every ${durationText(now.lookEvery)}`,
    );
  return sentences;
}

function whatIsOpen(last: ReplayedLook | undefined, horizonMs: number): string[] {
  return last?.would.verdict === "WAIT"
    ? [
        `looks end after ${durationText(last.elapsedMs)}; what would have come until the horizon of ${durationText(horizonMs)} nobody knows`,
      ]
    : [];
}

function sourceText(of: MetricSource): string {
  if (of === "heartbeats") return "heartbeats";
  return "sum" in of ? `${of.component} ${of.sum}` : `${of.component} ${of.counter} per ${of.per}`;
}
