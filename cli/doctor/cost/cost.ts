import type * as z from "zod";
import type { answers } from "../../answers/answers.ts";
import { type Price, pricesOf, priceRegion, prices } from "./prices.ts";

export type Cost = z.input<typeof answers.cost>;

const MINUTES_MONTH = 730 * 60;
/** The reference load: a heartbeat a minute, hourly Parquet, 10 log lines an hour and component. */
const HOURS_MONTH = 730;
const COMPONENTS = 4;
const LOG_LINES_HOUR = 10;
const LOG_LINE_BYTES = 250;
/** A flow curve of 20 points every five minutes with one inference, as Parquet. */
const LAKE_BYTES_HOUR = 12 * 25 * 20;
const MONTHS_KEPT = 12;
const RELEASES_MONTH = 4;
/** What one release changes of what a device downloads. */
const RELEASE_GB = 0.01;

interface Use {
  readonly what: string;
  readonly price: Price;
  /** Each factor with what it is; their product is what is paid for. */
  readonly factors: readonly (readonly [number, string])[];
}

/** What a fleet uses in a month. */
function usesOf(devices: number): Use[] {
  const fleet = [devices, "devices"] as const;
  const minutes = [MINUTES_MONTH, "minutes"] as const;
  return [
    { what: "core devices", price: "coreDeviceMonth", factors: [fleet] },
    { what: "connections", price: "connectionMinute", factors: [fleet, minutes] },
    { what: "heartbeats", price: "message", factors: [fleet, minutes] },
    { what: "rule that takes heartbeats", price: "ruleTriggered", factors: [fleet, minutes] },
    { what: "its action", price: "ruleAction", factors: [fleet, minutes] },
    { what: "function that keeps evidence, called", price: "lambdaRequest", factors: [fleet, minutes] },
    {
      what: "function that keeps evidence, running",
      price: "lambdaSecond",
      factors: [fleet, minutes, [0.05, "s"], [0.25, "GB"]],
    },
    { what: "evidence written", price: "tableWrite", factors: [fleet, minutes, [2, "units a row"]] },
    { what: "evidence into the lake", price: "delivered", factors: [fleet, minutes, [5e-6, "GB"]] },
    {
      what: "evidence read by the controller",
      price: "tableRead",
      factors: [fleet, minutes, [0.5, "units a row"]],
    },
    { what: "Parquet objects", price: "objectPut", factors: [fleet, [HOURS_MONTH, "hours"]] },
    {
      what: "measurements kept a year",
      price: "objectMonth",
      factors: [fleet, [HOURS_MONTH, "hours"], [LAKE_BYTES_HOUR / 1e9, "GB"], [MONTHS_KEPT, "months"]],
    },
    {
      what: "logs",
      price: "logIngested",
      factors: [
        fleet,
        [HOURS_MONTH, "hours"],
        [COMPONENTS, "components"],
        [LOG_LINES_HOUR, "lines"],
        [LOG_LINE_BYTES / 1e9, "GB"],
      ],
    },
    {
      what: "releases, as job executions",
      price: "remoteAction",
      factors: [fleet, [RELEASES_MONTH, "releases"]],
    },
    {
      what: "releases downloaded",
      price: "transferOut",
      factors: [fleet, [RELEASES_MONTH, "releases"], [RELEASE_GB, "GB"]],
    },
    { what: "rollout controller, running", price: "lambdaSecond", factors: [minutes, [2, "s"], [0.5, "GB"]] },
    {
      what: "fleet metrics (component, version, cohort)",
      price: "metricMonth",
      factors: [
        [COMPONENTS, "components"],
        [5, "metrics"],
        [2, "versions"],
        [2, "cohorts"],
      ],
    },
    { what: "alarms", price: "alarmMonth", factors: [[10, "alarms"]] },
    {
      what: "builds",
      price: "buildMinute",
      factors: [
        [RELEASES_MONTH * 5, "pushes"],
        [20, "minutes"],
      ],
    },
    {
      what: "pipeline",
      price: "actionMinute",
      factors: [
        [RELEASES_MONTH * 5, "pushes"],
        [20, "minutes"],
      ],
    },
  ];
}

/** An estimate for a month, each line with its arithmetic and the page that its price is from. */
export function costOf(devices: number): Cost {
  const lines = usesOf(devices).map(({ what, price, factors }) => {
    const { usd, per, unit, source } = prices[price];
    const amount = factors.reduce((product, [factor]) => product * factor, 1);
    const usdMonth = (amount / per) * usd;
    const of = factors.map(([factor, name]) => `${numberText(factor)} ${name}`).join(" × ");
    const rate = per === 1 ? `$${usd}` : `$${usd} / ${numberText(per)}`;
    return { what, arithmetic: `${of} = ${numberText(amount)} ${unit} × ${rate}`, usdMonth, source };
  });
  const usdMonth = lines.reduce((sum, line) => sum + line.usdMonth, 0);
  return { devices, usdMonth, region: priceRegion, pricesOf, lines };
}

function numberText(value: number): string {
  return value >= 1
    ? value.toLocaleString("en-US", { maximumFractionDigits: 2 })
    : Number(value.toPrecision(3)).toString();
}
