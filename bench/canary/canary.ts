import { binomialBound } from "../../pipeline/judge/trials.ts";
import { atLeast, atMost, type Bench, type Metric } from "../measure.ts";
import { argo, awsJobs, type BenchJudge, flagger, hawkbit, kayenta, ours } from "./judges.ts";
import { benchFleets, scenarios } from "./scenarios.ts";
import { hoursToHalt, judgedBy, meanDeviceHours, shareOf } from "./score.ts";

const GOOD_RUNS = 400;
const BAD_RUNS = 100;
/** As many as a rule shows that halts one good release in a hundred, but for one time in a thousand. */
export const FALSE_HALTS_MAX = binomialBound(GOOD_RUNS, 0.01) / GOOD_RUNS;
const TIMES_USUAL = [1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 6, 8];
const PERCENT = [10, 20, 30, 40, 50];
/** Every five minutes, as in the documentation, and every hour, which gives each measurement more to go by. */
const EVERY_LOOKS = [1, 12];

/** Rules with a number that their user chooses, the tightest first. */
const tunable: readonly (readonly BenchJudge[])[] = [
  ...[argo, flagger].flatMap((make) =>
    EVERY_LOOKS.map((everyLooks) => TIMES_USUAL.map((timesUsual) => make({ everyLooks, timesUsual }))),
  ),
  PERCENT.map(awsJobs),
  PERCENT.map(hawkbit),
];

/** Ours first. */
export const contenders: readonly BenchJudge[] = [
  ours,
  kayenta,
  ...tunable.flatMap((rules) => rules[0] ?? []),
];

/** The name of a figure: what is measured, in which scenario or on which fleet, of which judge. */
export function figure(what: string, where: string, judge: string): string {
  return `${what}: ${where}: ${judge}`;
}

/**
 * Twelve scenarios × judges: how often each halts a good release, misses a bad one, how soon it halts it, and for how
 * many hours devices run it. Everything follows from seeds: the same commit gives the same figures.
 */
export const bench: Bench = (say) => {
  const metrics: Record<string, Metric> = {};
  say(`${GOOD_RUNS} good releases to tune thresholds by`);
  const judges = [ours, kayenta, ...tuned()];
  for (const { name, setting } of judges) if (setting) metrics[figure("tuned", "reference", name)] = setting;
  for (const [fleet, traits] of Object.entries(benchFleets)) {
    say(`${GOOD_RUNS} good releases: ${fleet}`);
    for (const [index, own] of judgedBy(judges, traits, {}, `good/${fleet}`, GOOD_RUNS).entries()) {
      const name = judges[index]?.name ?? "";
      metrics[figure("falseHalts", fleet, name)] = percent(shareOf(own, "halt"));
      metrics[figure("goodHeld", fleet, name)] = percent(shareOf(own, "hold"));
    }
  }
  for (const { name: scenario, fleet, harm } of scenarios) {
    say(`${BAD_RUNS} bad releases: ${scenario}`);
    const judged = judgedBy(judges, benchFleets[fleet], harm, `bad/${scenario}`, BAD_RUNS);
    for (const [index, own] of judged.entries()) {
      const name = judges[index]?.name ?? "";
      metrics[figure("missed", scenario, name)] = percent(1 - shareOf(own, "halt"));
      metrics[figure("badHeld", scenario, name)] = percent(shareOf(own, "hold"));
      const halt = hoursToHalt(own);
      if (halt !== undefined) metrics[figure("hoursToHalt", scenario, name)] = { value: halt, unit: "h" };
      metrics[figure("deviceHours", scenario, name)] = { value: meanDeviceHours(own), unit: "h" };
    }
  }
  const won = scenarios.filter(({ name, fleet }) => winners(metrics, name, fleet).includes(ours.name));
  const worst = Math.max(
    ...Object.keys(benchFleets).map((fleet) => metrics[figure("falseHalts", fleet, ours.name)]?.value ?? 100),
  );
  metrics["falseHaltsWorst"] = atMost(worst, "%", 100 * FALSE_HALTS_MAX);
  metrics["fewestDeviceHours"] = atLeast(won.length, "of 12", 10);
  return Promise.resolve(metrics);
};

/** Of those that keep the peace on its fleet, who let devices run a scenario's bad version for the fewest hours. */
export function winners(
  metrics: Readonly<Record<string, { readonly value: number }>>,
  scenario: string,
  fleet: string,
): readonly string[] {
  const peaceful = contenders.filter(
    ({ name }) => (metrics[figure("falseHalts", fleet, name)]?.value ?? 100) <= 100 * FALSE_HALTS_MAX,
  );
  const hours = ({ name }: BenchJudge) => metrics[figure("deviceHours", scenario, name)]?.value ?? Infinity;
  const fewest = Math.min(...peaceful.map(hours));
  return peaceful.filter((judge) => hours(judge) <= fewest).map(({ name }) => name);
}

/** Of each rule the tightest that halts at most one good release in a hundred on the reference fleet. */
function tuned(): BenchJudge[] {
  const judged = judgedBy(tunable.flat(), benchFleets.reference, {}, "tuning", GOOD_RUNS);
  return tunable.flatMap((rules) => {
    const own = judged.splice(0, rules.length);
    const peaceful = own.findIndex((one) => shareOf(one, "halt") <= 0.01);
    return rules.at(peaceful) ?? [];
  });
}

function percent(part: number): Metric {
  return { value: 100 * part, unit: "%" };
}
