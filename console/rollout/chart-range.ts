import type { MetricSeries } from "@coalmine/contract/operator-api";

/** A part of a chart, in ms on its fleet's clock, ends included; where there is none it goes on to the chart's own. */
export interface ChartRange {
  readonly fromMs?: number;
  readonly toMs?: number;
}

type Looks = MetricSeries["looks"];

export function looksWithin(looks: Looks, { fromMs = -Infinity, toMs = Infinity }: ChartRange): Looks {
  return looks.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
}

/** As it stands in a link; what is no time is no end. */
export function rangeIn({ from, to }: { readonly from?: string; readonly to?: string }): ChartRange {
  return { ...end("fromMs", timeIn(from)), ...end("toMs", timeIn(to)) };
}

export function rangeText({ fromMs, toMs }: ChartRange): { readonly from?: string; readonly to?: string } {
  return {
    ...(fromMs === undefined ? {} : { from: String(fromMs) }),
    ...(toMs === undefined ? {} : { to: String(toMs) }),
  };
}

/** With another end: the minute that a field names, from its beginning or to its end. An empty field takes it away. */
export function withEnd(range: ChartRange, name: keyof ChartRange, field: string): ChartRange {
  const { [name]: _before, ...others } = range;
  const minuteMs = Date.parse(field);
  if (Number.isNaN(minuteMs)) return others;
  return { ...others, [name]: name === "fromMs" ? minuteMs : minuteMs + MINUTE_MS - 1 };
}

/** What a field for a date and a time takes, on the clock's zone of who looks. */
export function fieldText(atMs: number | undefined): string {
  if (atMs === undefined) return "";
  const local = atMs - new Date(atMs).getTimezoneOffset() * MINUTE_MS;
  return new Date(local).toISOString().slice(0, 16);
}

const MINUTE_MS = 60_000;

function timeIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function end(name: keyof ChartRange, atMs: number | undefined): ChartRange {
  return atMs === undefined ? {} : { [name]: atMs };
}
