import type { Cost } from "./cost.ts";

/** For a terminal, dearest first. */
export function costText({ devices, usdMonth, region, pricesOf, lines }: Cost): string {
  return [
    `${devices} devices cost about ${usd(usdMonth)} a month in ${region}, ${usd(usdMonth / devices)} each, by list prices of ${pricesOf}, without free tiers and tax:`,
    ...dearestFirst(lines).map(
      ({ what, arithmetic, usdMonth: own }) => `  ${usd(own).padStart(9)}  ${what}: ${arithmetic}`,
    ),
    "docs/cost.md says what this counts and where each price is from.",
  ].join("\n");
}

/** `docs/cost.md`. */
export function costPage(cost: Cost): string {
  const { devices, usdMonth, region, pricesOf, lines } = cost;
  return `# What a fleet costs on AWS

${devices} devices under the reference load (a heartbeat a minute, a flow curve of 20 points every five minutes, ten log lines an
hour and component, hourly Parquet, four releases a month) cost about **${usd(usdMonth)} a month** in ${region}, ${usd(usdMonth / devices)} each.

This is an estimate by list prices of ${pricesOf}, without free tiers, discounts and tax. Not in it: what people ask of Athena and
of the results API, keys of your own, data that leaves AWS by other ways, and support. Prices change: look at the pages before
you decide by it. \`coalmine doctor --cost --devices N\` says the same of any number; this page is made by \`npm run cli-docs\`.

| what | arithmetic | a month | price from |
| --- | --- | ---: | --- |
${dearestFirst(lines)
  .map(
    ({ what, arithmetic, usdMonth: own, source }) => `| ${what} | ${arithmetic} | ${usd(own)} | ${source} |`,
  )
  .join("\n")}
`;
}

function dearestFirst(lines: Cost["lines"]): Cost["lines"] {
  return lines.toSorted((a, b) => b.usdMonth - a.usdMonth);
}

function usd(value: number): string {
  return `$${value.toFixed(2)}`;
}
