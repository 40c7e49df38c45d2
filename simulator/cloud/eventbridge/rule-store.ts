import type { Instant } from "@coalmine/ports";
import { ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { eventPattern, PatternFault, type Pattern } from "./event-pattern.ts";
import type { Target } from "./target.ts";

export interface EventRule {
  readonly name: string;
  readonly pattern: string | undefined;
  readonly schedule: string | undefined;
  readonly isEnabled: boolean;
  readonly description: string | undefined;
  readonly roleArn: string | undefined;
  readonly targets: readonly Target[];
  readonly createdAt: Instant;
}

/** Rules of the default bus by name, their patterns read once. */
export class RuleStore {
  readonly #rules: Table<EventRule>;
  readonly #patterns = new Map<string, Pattern>();

  constructor(store: Store) {
    this.#rules = store.table("eventbridge/rules");
    for (const [, rule] of this.#rules.entries()) this.#read(rule);
  }

  get size(): number {
    return this.#rules.size;
  }

  find(name: string): EventRule | undefined {
    return this.#rules.get(name);
  }

  rule(name: string): EventRule {
    const rule = this.#rules.get(name);
    if (rule === undefined)
      throw new ServiceError(
        "ResourceNotFoundException",
        400,
        `Rule ${name} does not exist on EventBus default.`,
      );
    return rule;
  }

  all(prefix = ""): readonly EventRule[] {
    return [...this.#rules.entries(prefix)].map(([, rule]) => rule);
  }

  /** Those that are enabled and fit. */
  matching(event: object): readonly EventRule[] {
    if (this.#patterns.size === 0) return [];
    return this.all().filter(
      ({ name, isEnabled }) => isEnabled && this.#patterns.get(name)?.(event) === true,
    );
  }

  /** @throws ServiceError for what is no pattern. */
  set(rule: EventRule): void {
    this.#read(rule);
    this.#rules.set(rule.name, rule);
  }

  delete(name: string): void {
    this.#rules.delete(name);
    this.#patterns.delete(name);
  }

  #read({ name, pattern }: EventRule): void {
    const read = pattern === undefined ? undefined : readPattern(pattern);
    if (read === undefined) this.#patterns.delete(name);
    else this.#patterns.set(name, read);
  }
}

/** @throws ServiceError as EventBridge refuses. */
export function readPattern(pattern: string): Pattern {
  try {
    return eventPattern(pattern);
  } catch (failure) {
    if (failure instanceof PatternFault)
      throw new ServiceError("InvalidEventPatternException", 400, failure.message);
    throw failure;
  }
}
