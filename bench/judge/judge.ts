import { arrange } from "../../pipeline/judge/arrangement.ts";
import type { Bundle } from "../../pipeline/judge/bundle.ts";
import { judge, judgeAlone } from "../../pipeline/judge/judge.ts";
import { trial } from "../../pipeline/judge/trial.ts";
import { manyMetrics, trialOf } from "../../pipeline/judge/trials.ts";
import { atMost, type Bench, inTurn, median, ratio } from "../measure.ts";

/** Of each candidate and round, so that the clock's grain and the collector's visits even out. */
const VERDICTS = 10;
const ROUNDS = 7;

/**
 * A verdict over a day of half-hourly looks at ten canaries beside a hundred, with 1,999 re-draws, against a bare loop
 * that does nothing but take both arms' means for every draw, metric and look.
 */
export const bench: Bench = async (say) => {
  const bundles = Array.from({ length: VERDICTS }, (_, run) => trial(trialOf(`bench/${run}`)));
  const wide = trial(trialOf("bench/wide", { metrics: manyMetrics(9) }));
  const large = trial(trialOf("bench/large", { canary: 100, baseline: 900 }));
  const over = (all: readonly Bundle[], work: (bundle: Bundle) => unknown) => () => {
    const startedMs = performance.now();
    for (const bundle of all) work(bundle);
    return (performance.now() - startedMs) / 1000 / all.length;
  };
  const candidates = {
    verdict: over(bundles, judge),
    withoutShadow: over(bundles, judgeAlone),
    bare: over(bundles, bareMeans),
    tenMetrics: over([wide], judge),
    thousandDevices: over([large], judge),
  };
  say("each once to warm up, then verdicts and bare loops in turn");
  for (const work of Object.values(candidates)) work();
  const measured = await inTurn(candidates, ROUNDS);
  return {
    verdict48Looks110Devices: atMost(median(measured.verdict), "s", 1),
    verdictWithoutShadow: { value: median(measured.withoutShadow), unit: "s" },
    bareMeans: { value: median(measured.bare), unit: "s" },
    verdictOverBare: { value: ratio(measured.verdict, measured.bare), unit: "x" },
    verdict10Metrics: { value: median(measured.tenMetrics), unit: "s" },
    verdict1000Devices: { value: median(measured.thousandDevices), unit: "s" },
  };
};

/** Means of both arms for every look, metric and draw; the sum of them all, so that none is left out. */
function bareMeans(bundle: Bundle): number {
  const arrangement = arrange(bundle);
  if (typeof arrangement === "string") throw new Error(arrangement);
  const { draws, drawCount, canaryUnits, deviceCount } = arrangement;
  const value = new Float64Array(deviceCount);
  let all = 0;
  for (const look of bundle.looks)
    for (const pairs of Object.values(look.values)) {
      let total = 0;
      for (let device = 0; device < deviceCount; device++) {
        const pair = pairs[device];
        value[device] = pair ? pair[0] / pair[1] : 0;
        total += value[device] ?? 0;
      }
      for (let draw = 0, at = 0; draw < drawCount; draw++) {
        let canary = 0;
        for (let k = 0; k < canaryUnits; k++) canary += value[draws[at++] ?? 0] ?? 0;
        all += canary / canaryUnits - (total - canary) / (deviceCount - canaryUnits);
      }
    }
  return all;
}
