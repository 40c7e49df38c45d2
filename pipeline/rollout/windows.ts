import * as z from "zod";

/** Local time is read from the zone database that Node brings; so it is the same on every machine of one version. */

const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const QUARTER_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
/** A week and, since clocks are put forward, a day: what is not open within this is never open. */
const AHEAD_MS = 8 * DAY_MS;

/** The zone that a device's own attribute names. */
export const DEVICE_ZONE = "device";

const Quarter = (latest: string) =>
  z
    .string()
    .regex(/^(([01]\d|2[0-3]):(00|15|30|45)|24:00)$/, "hours and a quarter of them, such as 22:00 or 06:45")
    .meta({ range: `00:00 to ${latest}, by quarters` });

export const MaintenanceWindow = z
  .strictObject({
    days: z
      .array(z.enum(weekdays))
      .min(1)
      .default([...weekdays])
      .describe("On which days it begins."),
    from: Quarter("23:45").describe("When it opens. No time zone is finer than a quarter of an hour."),
    to: Quarter("24:00").describe("When it closes; on the next day where that is earlier."),
    zone: z
      .string()
      .refine((zone) => zone === DEVICE_ZONE || isZone(zone), {
        error: ({ input }) =>
          `"${String(input)}" is no time zone such as Europe/Berlin, nor "${DEVICE_ZONE}"`,
      })
      .describe(
        "Whose clock it goes by: a zone such as `Europe/Berlin`, or `device`, which is what each thing's attribute `timezone` says.",
      ),
  })
  .refine(({ from, to }) => from !== to && from !== "24:00", {
    error: "a window that closes when it opens is never open; leave windows out where it is always open",
  });
type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

/** A target's windows, with the zones of its devices. */
export const Windows = z.object({
  windows: z.array(MaintenanceWindow).min(1),
  /** Those that its devices say; one where no window goes by them. */
  zones: z.array(z.string()).min(1),
});
export type Windows = z.infer<typeof Windows>;

/** Whether something may begin: one of the windows is open, for each of the devices' zones. Always without windows. */
export function isOpen(windows: Windows | undefined, timeMs: number): boolean {
  if (windows === undefined) return true;
  // Many windows go by one clock, which is read once.
  const read = new Map<string, LocalTime>();
  const clock = (zone: string): LocalTime => {
    const known = read.get(zone) ?? localTime(zone, timeMs);
    read.set(zone, known);
    return known;
  };
  return windows.zones.every((own) =>
    windows.windows.some((one) => isWithin(one, clock(one.zone === DEVICE_ZONE ? own : one.zone))),
  );
}

/** The first time from `timeMs` on at which something may begin; Infinity where it never may. */
export function opensAt(windows: Windows | undefined, timeMs: number): number {
  if (isOpen(windows, timeMs)) return timeMs;
  for (let at = Math.ceil(timeMs / QUARTER_MS) * QUARTER_MS; at < timeMs + AHEAD_MS; at += QUARTER_MS)
    if (isOpen(windows, at)) return at;
  return Infinity;
}

export function isZone(zone: string): boolean {
  try {
    return formatOf(zone) !== undefined;
  } catch (failure) {
    if (failure instanceof RangeError) return false;
    throw failure;
  }
}

interface LocalTime {
  readonly day: number;
  readonly minute: number;
}

function isWithin({ days, from, to }: MaintenanceWindow, { day, minute }: LocalTime): boolean {
  const [open, close] = [minutesOf(from), minutesOf(to)];
  const begins = (on: number) => days.some((name) => name === weekdays[(on + 7) % 7]);
  return close > open
    ? begins(day) && minute >= open && minute < close
    : (begins(day) && minute >= open) || (begins(day - 1) && minute < close);
}

function minutesOf(text: string): number {
  const [hours = "", minutes = ""] = text.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** Making one takes a thousand times as long as using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  formats.set(zone, format);
  return format;
}

/** Read from "Thu 05:30": in parts it would take three times as long. */
function localTime(zone: string, timeMs: number): LocalTime {
  const [, day = "", hour = "", minute = ""] =
    /(\w{3})\W+(\d\d):(\d\d)/.exec(formatOf(zone).format(timeMs)) ?? [];
  return {
    day: weekdays.findIndex((name) => name === day.toLowerCase()),
    minute: Number(hour) * 60 + Number(minute),
  };
}
