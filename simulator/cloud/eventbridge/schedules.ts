import type { Clock, Timer } from "@coalmine/ports";
import { ServiceError } from "../service.ts";
import type { EventRule, RuleStore } from "./rule-store.ts";

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3600_000, day: 24 * 3600_000 };

/** `rate(5 minutes)` in milliseconds. @throws ServiceError for another, `cron` among them. */
export function rateMs(schedule: string): number {
  const [, count = "", unit = "", plural = ""] =
    /^rate\(([1-9]\d{0,3}) (minute|hour|day)(s?)\)$/.exec(schedule) ?? [];
  const ms = unitMs[unit];
  // AWS wants the singular for one and the plural for more.
  if (ms === undefined || (count === "1") === (plural === "s"))
    throw new ServiceError(
      "ValidationException",
      400,
      "Parameter ScheduleExpression is not valid. Only rate(…) is simulated.",
    );
  return Number(count) * ms;
}

/** Fires rules at their rates, counted from when the rule was made. */
export class Schedules {
  readonly #rules: RuleStore;
  readonly #clock: Clock;
  readonly #fire: (rule: EventRule) => void;
  readonly #timers = new Map<string, Timer>();

  constructor(rules: RuleStore, clock: Clock, fire: (rule: EventRule) => void) {
    this.#rules = rules;
    this.#clock = clock;
    this.#fire = fire;
    for (const { name } of rules.all()) this.changed(name);
  }

  /** Called whenever a rule was set or deleted. */
  changed(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
    const rule = this.#rules.find(name);
    if (rule?.schedule === undefined || !rule.isEnabled) return;
    const everyMs = rateMs(rule.schedule);
    const sinceMs = (this.#clock.now() - rule.createdAt) % everyMs;
    const timer = this.#clock.timer(everyMs - sinceMs, () => {
      this.#fire(rule);
      this.changed(name);
    });
    this.#timers.set(name, timer);
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
