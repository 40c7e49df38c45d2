import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import { parseCron } from "../cron.ts";

const MINUTE_MS = 60_000;
const YEAR_MS = 366 * 24 * 60 * MINUTE_MS;
const NOTICE_MS = 30 * MINUTE_MS;

/** A date and a time to the minute, in UTC where no zone is named. */
const Time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/, "give YYYY-MM-DDTHH:MM")
  .refine((text) => !Number.isNaN(instantOf(text)), "there is no such time");

export const MaintenanceWindows = z.array(
  z.object({
    startTime: z
      .string()
      .refine((text) => parseCron(text) !== undefined, "give cron(minute hour date month weekday year)"),
    durationInMinutes: z.number().int().min(1).max(1430),
  }),
);

/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_SchedulingConfig.html */
export const SchedulingConfig = z.object({
  startTime: Time.nullish(),
  endTime: Time.nullish(),
  endBehavior: z.enum(["STOP_ROLLOUT", "CANCEL", "FORCE_CANCEL"]).nullish(),
  maintenanceWindows: MaintenanceWindows.nullish(),
});
export type SchedulingConfig = z.infer<typeof SchedulingConfig>;

/** When a job begins, ends, and may create executions in between: always, or in its windows. */
export class JobSchedule {
  readonly startsAt: Instant | undefined;
  readonly endsAt: Instant | undefined;
  readonly #windows: readonly {
    readonly durationMs: number;
    readonly next: (after: Instant) => Instant | undefined;
  }[];

  constructor(config: SchedulingConfig | null | undefined) {
    const { startTime, endTime, maintenanceWindows } = config ?? {};
    this.startsAt = typeof startTime === "string" ? instantOf(startTime) : undefined;
    this.endsAt = typeof endTime === "string" ? instantOf(endTime) : undefined;
    this.#windows = (maintenanceWindows ?? []).map((window) => ({
      durationMs: window.durationInMinutes * MINUTE_MS,
      next: (after) => parseCron(window.startTime)?.next(after),
    }));
  }

  /** Why AWS would refuse it now, in words. */
  faultAt(now: Instant): string | undefined {
    const { startsAt, endsAt } = this;
    if (startsAt !== undefined && startsAt < now + NOTICE_MS)
      return "startTime is less than 30 minutes ahead";
    if (startsAt !== undefined && startsAt > now + YEAR_MS) return "startTime is more than a year ahead";
    const begins = startsAt ?? now;
    if (endsAt !== undefined && endsAt < begins + NOTICE_MS)
      return "endTime is less than 30 minutes after the start";
    if (endsAt !== undefined && endsAt > begins + 2 * YEAR_MS)
      return "endTime is more than two years after the start";
    return undefined;
  }

  /** From when on, not before `at`, executions may be created; undefined where they never may again. */
  opensAt(at: Instant): Instant | undefined {
    if (this.#windows.length === 0) return at;
    const openings = this.#windows.flatMap(({ durationMs, next }) => {
      // The first that has not ended at `at`.
      const opening = next(at - durationMs);
      return opening === undefined ? [] : [Math.max(at, opening)];
    });
    return openings.length === 0 ? undefined : Math.min(...openings);
  }

  /** When windows open after `at`, the earliest `count`. */
  nextWindows(at: Instant, count: number): Instant[] {
    const found = new Set<Instant>();
    for (const { next } of this.#windows) {
      let opening = next(at);
      for (let n = 0; n < count && opening !== undefined; n++) {
        found.add(opening);
        opening = next(opening);
      }
    }
    return [...found].sort((one, other) => one - other).slice(0, count);
  }
}

function instantOf(time: string): Instant {
  const [date = "", clock = ""] = time.split(/[T ]/);
  return Date.parse(`${date}T${clock}${/[Z+-]/.test(clock) ? "" : "Z"}`);
}
