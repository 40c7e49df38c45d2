import * as z from "zod";
import type { FoldedRollout } from "../pipeline/controller/folded.ts";
import { verdictKey } from "../pipeline/controller/kept-bundle.ts";
import { ratioText } from "../pipeline/judge/verdict.ts";
import type { PolicyMetric } from "../pipeline/policy-metric.ts";
import { metricsOf, parsePolicy, targetPolicy } from "../pipeline/policy.ts";
import type { Api } from "./api.ts";

/** Of a kept verdict, what advice needs. */
const Advised = z.object({
  metrics: z.array(z.object({ metric: z.string(), p: z.number().nullable(), ratio: z.number().nullable() })),
});

/**
 * What metrics that may only advise have to say: harm that stands out by chance as rarely as one that halts would, each
 * taken by itself.
 */
export async function adviceOf(api: Api, folded: FoldedRollout): Promise<string[]> {
  const { planned } = folded;
  if (planned === undefined) return [];
  const policy = parsePolicy(planned.record.policy);
  const sentences: string[] = [];
  for (const [target, looks] of Object.entries(folded.looks)) {
    const own = targetPolicy(policy, target);
    const advising = metricsOf(policy, own).filter(({ autonomy }) => autonomy === "advise");
    const key = verdictKey(folded.id, target, looks.at(-1)?.elapsedMs ?? 0);
    const verdict = advising.length === 0 ? undefined : await api.kept.read(key, Advised);
    for (const { metric, p, ratio } of verdict?.metrics ?? []) {
      const advisor = advising.find(({ name }) => name === metric);
      if (advisor === undefined || p === null || ratio === null || p > own.alpha || !isHarm(advisor, ratio))
        continue;
      sentences.push(
        `${target} advises: "${metric}" is ${ratioText(ratio)} the baseline (p = ${p}), and may not halt; weigh it before you promote.`,
      );
    }
  }
  return sentences;
}

function isHarm({ direction, minEffect }: PolicyMetric, ratio: number): boolean {
  const more = direction !== "down" && ratio >= minEffect;
  const less = direction !== "up" && ratio <= 1 / minEffect;
  return more || less;
}
