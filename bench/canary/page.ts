import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { contenders, FALSE_HALTS_MAX, figure, winners } from "./canary.ts";
import { benchFleets, scenarios } from "./scenarios.ts";

/** `npm run -s bench -- canary --json | npm exec -c "node bench/canary/page.ts"` writes the page of the figures. */
const Line = z.object({ metrics: z.record(z.string(), z.object({ value: z.number(), unit: z.string() })) });
const { metrics } = Line.parse(JSON.parse((await text(process.stdin)).trim().split("\n").at(-1) ?? ""));
const names = contenders.map(({ name }) => name);

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function shown(what: string, where: string, judge: string, digits: number): string {
  const metric = metrics[figure(what, where, judge)];
  return metric === undefined ? "–" : `${Number(metric.value.toFixed(digits))}`;
}

const deviceHours = scenarios.map(({ name, fleet }) => {
  const best = winners(metrics, name, fleet);
  return [
    name,
    ...names.map((judge) => {
      const peaceful = (metrics[figure("falseHalts", fleet, judge)]?.value ?? 100) <= 100 * FALSE_HALTS_MAX;
      const hours = shown("deviceHours", name, judge, 0);
      return best.includes(judge) ? `**${hours}**` : peaceful ? hours : `(${hours})`;
    }),
  ];
});
const ends = scenarios.map(({ name }) => [
  name,
  ...names.map((judge) => {
    const held = metrics[figure("badHeld", name, judge)]?.value ?? 0;
    const missed = `${shown("missed", name, judge, 0)} %${held > 0 ? ` (held ${Number(held.toFixed(0))} %)` : ""}`;
    const hours = shown("hoursToHalt", name, judge, 1);
    return hours === "–" ? missed : `${missed}, ${hours} h`;
  }),
]);
const peace = Object.keys(benchFleets).map((fleet) => [
  fleet,
  ...names.map((judge) => {
    const held = metrics[figure("goodHeld", fleet, judge)]?.value ?? 0;
    return `${shown("falseHalts", fleet, judge, 2)} %${held > 0 ? ` (held ${Number(held.toFixed(1))} %)` : ""}`;
  }),
]);
const rules = contenders.map(({ name, rule }) => {
  const tuned = metrics[figure("tuned", "reference", name)];
  return [name, rule, tuned === undefined ? "" : `${tuned.value} ${tuned.unit}`];
});

const page = `# CanaryBench

Written by \`npm run -s bench -- canary --json | npm exec -c "node bench/canary/page.ts"\`.

Ten canaries beside a hundred for a day, simulated (\`bench/canary/rollout.ts\`); each canary installs the release once it is on. A
release that is let through then runs on the other hundred for as long again. "Held" is left to a person, neither halted nor let
through. Rules with a number that their user chooses have the tightest that halts at most 1 % of good releases on the reference fleet.

## Hours that devices ran the bad version

On the average of all rollouts. In brackets: halts more than ${Number((100 * FALSE_HALTS_MAX).toFixed(2))} % of good releases on the scenario's fleet, which is what a rule of 1 %
shows at most. Bold: the fewest of the others. Coalmine has the fewest in ${metrics["fewestDeviceHours"]?.value ?? 0} of ${scenarios.length}.

${table(["scenario", ...names], deviceHours)}

## Bad releases that were not halted, and the median hours until one was

${table(["scenario", ...names], ends)}

## Good releases that were halted

${table(["fleet", ...names], peace)}

## The rules

${table(["judge", "rule", "tuned to"], rules)}
`;
writeFileSync(new URL("../../docs/canary-bench.md", import.meta.url), page);
