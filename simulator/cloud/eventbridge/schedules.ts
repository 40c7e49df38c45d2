import type { Clock, Instant } from "@coalmine/ports";
import { parseCron } from "../cron.ts";
import { KeyedTimers } from "../keyed-timers.ts";
import { ServiceError } from "../service.ts";
import type { EventRule, RuleStore } from "./rule-store.ts";

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3600_000, day: 24 * 3600_000 };

/** When a rule made at `createdAt` fires first after `after`; undefined where it never does again. */
type Next = (createdAt: Instant, after: Instant) => Instant | undefined;

/** Of `rate(5 minutes)`, counted from when the rule was made, or `cron(0 12 * * ? *)`. @throws ServiceError for another. */
export function parseSchedule(expression: string): Next {
  const cron = parseCron(expression);
  if (cron !== undefined) return (_createdAt, after) => cron.next(after);
  const [, count = "", unit = "", plural = ""] =
    /^rate\(([1-9]\d{0,3}) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  const ms = unitMs[unit];
  // AWS wants the singular for one and the plural for more.
  if (ms === undefined || (count === "1") === (plural === "s"))
    throw new ServiceError("ValidationException", 400, "Parameter ScheduleExpression is not valid.");
  const everyMs = Number(count) * ms;
  return (createdAt, after) => after + everyMs - ((after - createdAt) % everyMs);
}

/** Fires rules at their times. */
export class Schedules {
  readonly #rules: RuleStore;
  readonly #clock: Clock;
  readonly #fire: (rule: EventRule) => void;
  readonly #timers: KeyedTimers;

  constructor(rules: RuleStore, clock: Clock, fire: (rule: EventRule) => void) {
    this.#rules = rules;
    this.#clock = clock;
    this.#fire = fire;
    this.#timers = new KeyedTimers(clock);
    for (const { name } of rules.all()) this.changed(name);
  }

  /** Called whenever a rule was set or deleted. */
  changed(name: string): void {
    this.#timers.cancel(name);
    const rule = this.#rules.find(name);
    if (rule?.schedule === undefined || !rule.isEnabled) return;
    const now = this.#clock.now();
    const at = parseSchedule(rule.schedule)(rule.createdAt, now);
    if (at === undefined) return;
    this.#timers.set(name, at - now, () => {
      this.#fire(rule);
      this.changed(name);
    });
  }

  stop(): void {
    this.#timers.cancelAll();
  }
}
