import type { Bundle, Metric, Pair } from "./judge/bundle.ts";
import { isHalting } from "./judge/comparison.ts";
import { drawOf, DrawRefused } from "./judge/draw.ts";
import { log } from "./judge/exact-math.ts";
import { judge } from "./judge/judge.ts";
import { negligibleOf } from "./judge/outcome.ts";
import { plan, type FleetHistory } from "./judge/plan.ts";
import { durationText } from "./judge/verdict.ts";
import { judging, targetPolicy, type Policy } from "./policy.ts";

export interface Canary {
  readonly devices: number;
  /** Why so many, with the figures. */
  readonly because: string;
}

/** Canaries that are tried on the history for each size. */
const TRIES = 50;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Looks within a soak are as many as parts of its history. */
const LOOKS = 12;

/**
 * How many devices are drawn: what the policy says, or the fewest with which the judge finds the policy's harm often
 * enough where it is laid on a canary of the fleet's own past. A sentence where no canary that may be drawn can do that.
 * `breathe` is awaited between tries, since all of them together take some seconds.
 */
export async function canaryFor(
  policy: Policy,
  target: string,
  history: FleetHistory,
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<Canary | string> {
  const { canaryDevices: wanted, unjudgedDevicesMax, soak } = targetPolicy(policy, target);
  if (typeof wanted === "number") return { devices: wanted, because: "the policy says so" };
  const { power, ratio } = wanted;
  const metric = hardest(policy, target, history, ratio, wanted.metrics);
  if (typeof metric === "string") return metric;
  // Beyond half of the fleet a larger canary shows less, since fewer are left to compare with.
  const most = Math.min(unjudgedDevicesMax, Math.floor(history.devices.length / 2));
  const tried = new Map<number, number>();
  const findsAt = async (devices: number): Promise<boolean> => {
    let found = 0;
    for (let run = 0; run < TRIES; run++) {
      await breathe();
      if (isFound(policy, target, history, { metric, ratio, devices, seed: `size ${devices} try ${run}` }))
        found++;
      // Of the largest, which may have to be told, it is counted to the end.
      if (devices < most && run + 1 - found > (1 - power) * TRIES) return false;
    }
    tried.set(devices, found);
    return found >= power * TRIES;
  };
  const fewest = await fewestOf(most, findsAt);
  const told = (devices: number) =>
    `${devices} of ${history.devices.length} devices find ${ratio}× in "${metric.name}", the hardest to find, within the soak of ${durationText(soak)} in ${tried.get(devices) ?? 0} of ${TRIES} tries on the fleet's own past`;
  if (fewest !== undefined)
    return { devices: fewest, because: `${told(fewest)}, and fewer do not reach ${power * 100} %` };
  return `${target}: ${told(most)}, and ${power * 100} % are asked for; more may not be drawn (unjudgedDevicesMax is ${unjudgedDevicesMax}): raise it, or ask for a larger ratio, less power or a longer soak`;
}

/** How far back a fleet's history has to reach: a soak, and a past to compare it with. */
export function historyMsFor(soakMs: number): number {
  return soakMs + Math.min(soakMs, DAY_MS);
}

/** That history up to now, in whole minutes. */
export function historyWindow(
  soakMs: number,
  nowMs: number,
): { fromMs: number; toMs: number; bucketMs: number } {
  const bucketMs = Math.max(1, Math.floor(soakMs / LOOKS / MINUTE_MS)) * MINUTE_MS;
  const buckets = Math.ceil(historyMsFor(soakMs) / bucketMs) + 1;
  const toMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  return { fromMs: toMs - buckets * bucketMs, toMs, bucketMs };
}

/** The metric in which devices differ most for the harm that has to be found. */
function hardest(
  policy: Policy,
  target: string,
  history: FleetHistory,
  ratio: number,
  named: readonly string[] | undefined,
): Metric | string {
  const { policy: judgePolicy, metrics } = judging(policy, target);
  const asked = metrics.filter((metric) => named?.includes(metric.name) ?? isHalting(metric));
  const deaf = asked.find(({ minEffect }) => minEffect >= ratio);
  if (deaf !== undefined)
    return `${target}: "${deaf.name}" halts from ${deaf.minEffect}× on (minEffect), so no canary finds ${ratio}× in it; ask for a larger ratio, or name the metrics that it is about`;
  const { metrics: planned } = plan(history, { policy: judgePolicy, metrics: asked, canaryDevices: 1 });
  const unknown = planned.find(({ sd }) => sd === null);
  if (unknown !== undefined)
    return `${target}: there is no history of "${unknown.metric}" to size a canary by; ${durationText(historyMsFor(judgePolicy.soakMs))} of it are needed, so let the fleet run, or say a number for canaryDevices`;
  const hard = asked.map((metric, index) => ({
    metric,
    by: (planned[index]?.sd ?? 0) / log(ratio / metric.minEffect),
  }));
  return hard.reduce((a, b) => (b.by > a.by ? b : a)).metric;
}

interface Try {
  readonly metric: Metric;
  readonly ratio: number;
  readonly devices: number;
  readonly seed: string;
}

/** Whether the judge halts where a canary of the past is harmed from the last soak of the history on. */
function isFound(
  policy: Policy,
  target: string,
  history: FleetHistory,
  { metric, ratio, devices, seed }: Try,
): boolean {
  const { policy: judgePolicy, metrics } = judging(policy, target);
  const window = Math.round(judgePolicy.soakMs / history.bucketMs);
  try {
    const draw = drawOf(history.devices, devices, seed);
    const canary = new Set(draw.canary);
    const totals = (name: string, from: number, to?: number): Pair[] =>
      (history.metrics[name] ?? []).map((pairs) => totalOf(pairs.slice(from, to)));
    const halting = metrics.filter(isHalting);
    const verdict = judge({
      version: 1,
      rollout: "a try",
      target,
      devices: [...history.devices],
      draw,
      // Whether it could be promoted is not asked, and would take as long again.
      metrics: halting.map(({ margin: _margin, ...rest }) => rest),
      policy: judgePolicy,
      before: Object.fromEntries(halting.map(({ name }) => [name, totals(name, 0, -window)])),
      looks: Array.from({ length: LOOKS }, (_, look): Bundle["looks"][number] => {
        const until = Math.ceil(((look + 1) * window) / LOOKS);
        return {
          elapsedMs: until * history.bucketMs,
          values: Object.fromEntries(
            halting.map(({ name }) => {
              const pairs = totals(name, -window, until === window ? undefined : until - window);
              return [
                name,
                name === metric.name
                  ? pairs.map((pair, index) =>
                      canary.has(history.devices[index]?.thing ?? "") ? harmed(metric, pair, ratio) : pair,
                    )
                  : pairs,
              ];
            }),
          ),
          updated: draw.canary,
          failing: [],
        };
      }),
    });
    return verdict.verdict === "HALT";
  } catch (thrown) {
    // No whole cluster is so small: such a canary finds nothing.
    if (thrown instanceof DrawRefused) return false;
    throw thrown;
  }
}

/** The pair, made worse by the ratio as the judge counts it: with what is negligible added on both sides. */
function harmed(metric: Metric, pair: Pair, ratio: number): Pair {
  if (pair === null) return null;
  const [numerator, denominator] = pair;
  if (!(denominator > 0)) return pair;
  const floor = negligibleOf(metric);
  if (metric.kind === "liveness") {
    const silent = Math.min(1, ratio * (1 - numerator / denominator + floor) - floor);
    return [denominator * (1 - silent), denominator];
  }
  const level = numerator / denominator + floor;
  const worse = metric.direction === "down" ? level / ratio : level * ratio;
  return [denominator * Math.max(0, worse - floor), denominator];
}

function totalOf(pairs: readonly Pair[]): Pair {
  const known = pairs.filter((pair) => pair !== null);
  return known.length === 0
    ? null
    : [known.reduce((sum, [a]) => sum + a, 0), known.reduce((sum, [, b]) => sum + b, 0)];
}

/** The smallest number up to `most` for which it holds, where it holds for all larger ones as well. */
async function fewestOf(
  most: number,
  holds: (count: number) => Promise<boolean>,
): Promise<number | undefined> {
  if (most < 1 || !(await holds(most))) return undefined;
  let [below, above] = [0, most];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (await holds(middle)) above = middle;
    else below = middle;
  }
  return above;
}
