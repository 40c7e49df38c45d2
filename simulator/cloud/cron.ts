import type { Instant } from "@coalmine/ports";

/**
 * AWS's cron expressions, in UTC: `cron(minute hour day-of-month month day-of-week year)`, where one of the two days is `?`.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export interface Cron {
  /** The first minute after `after`; undefined where there is none until the end of 2199. */
  next(after: Instant): Instant | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

interface Day {
  readonly dayOfMonth: number;
  /** 1 is Sunday. */
  readonly dayOfWeek: number;
  readonly lastOfMonth: number;
}
type OnDay = (day: Day) => boolean;

/** Undefined for what is no such expression. */
export function parseCron(expression: string): Cron | undefined {
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/) ?? [];
  const [minuteText = "", hourText = "", dateText = "", monthText = "", weekdayText = "", yearText = ""] =
    fields;
  const minutes = numbers(minuteText, 0, 59);
  const hours = numbers(hourText, 0, 23);
  const months = numbers(monthText, 1, 12, MONTHS);
  const years = numbers(yearText, 1970, 2199);
  const onDate = dateText === "?" ? undefined : dayOfMonth(dateText);
  const onWeekday = weekdayText === "?" ? undefined : dayOfWeek(weekdayText);
  const onDay = onDate ?? onWeekday;
  if (fields.length !== 6 || (dateText === "?") === (weekdayText === "?")) return undefined;
  if (!minutes || !hours || !months || !years || !onDay) return undefined;
  const lastYear = Math.max(...years);
  return {
    next(after) {
      for (let dayStart = Math.floor(after / DAY_MS) * DAY_MS; ; dayStart += DAY_MS) {
        const date = new Date(dayStart);
        const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
        if (year > lastYear) return undefined;
        const day = {
          dayOfMonth: date.getUTCDate(),
          dayOfWeek: date.getUTCDay() + 1,
          lastOfMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
        };
        if (!years.has(year) || !months.has(month) || !onDay(day)) continue;
        for (const hour of hours)
          for (const minute of minutes) {
            const at = dayStart + hour * HOUR_MS + minute * MINUTE_MS;
            if (at > after) return at;
          }
      }
    },
  };
}

/** In ascending order: `*`, `a`, `a-b`, and each of them with `/step`, joined by commas. */
function numbers(
  text: string,
  min: number,
  max: number,
  names: readonly string[] = [],
): ReadonlySet<number> | undefined {
  const valueOf = (word: string): number =>
    names.includes(word) ? names.indexOf(word) + min : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const [, span = "", step] = /^([^/]+)(?:\/([1-9]\d*))?$/.exec(part) ?? [];
    const [first = "", last, more] = span.split("-");
    const from = span === "*" ? min : valueOf(first);
    const to = last === undefined ? (span === "*" || step !== undefined ? max : from) : valueOf(last);
    if (more !== undefined || !(from >= min && from <= to && to <= max)) return undefined;
    for (let value = from; value <= to; value += Number(step ?? 1)) found.add(value);
  }
  return new Set([...found].sort((one, other) => one - other));
}

/** Also `L`, the month's last day, and `15W`, the weekday nearest to the 15th within its month. */
function dayOfMonth(text: string): OnDay | undefined {
  if (text === "L") return (day) => day.dayOfMonth === day.lastOfMonth;
  const wanted = /^(\d{1,2})W$/.exec(text)?.[1];
  if (wanted === undefined) {
    const days = numbers(text, 1, 31);
    return days && ((day) => days.has(day.dayOfMonth));
  }
  const target = Number(wanted);
  if (target < 1 || target > 31) return undefined;
  return (day) => {
    // Of the target, counted from the day that is looked at; five weeks keep it positive.
    const weekday = ((day.dayOfWeek - 1 + target - day.dayOfMonth + 35) % 7) + 1;
    const isFirst = target === 1;
    const isLast = target === day.lastOfMonth;
    const nearest =
      weekday === 7 ? (isFirst ? 3 : target - 1) : weekday === 1 ? target + (isLast ? -2 : 1) : target;
    return target <= day.lastOfMonth && day.dayOfMonth === nearest;
  };
}

/** Also `6L`, the month's last Friday, and `3#2`, its second Tuesday. */
function dayOfWeek(text: string): OnDay | undefined {
  const last = /^([1-7])L$/.exec(text)?.[1];
  if (last !== undefined)
    return (day) => day.dayOfWeek === Number(last) && day.dayOfMonth + 7 > day.lastOfMonth;
  const [, weekday, week] = /^([1-7])#([1-5])$/.exec(text) ?? [];
  if (weekday !== undefined)
    return (day) => day.dayOfWeek === Number(weekday) && Math.ceil(day.dayOfMonth / 7) === Number(week);
  const days = text === "L" ? new Set([7]) : numbers(text, 1, 7, WEEKDAYS);
  return days && ((day) => days.has(day.dayOfWeek));
}
