import { type ComponentHealth, ComponentName, ComponentVersion, healthKeys } from "@coalmine/contract";
import type { ComponentProcess, Instant } from "@coalmine/ports";

type Key = typeof healthKeys.streamUploader;
export type CounterName = Key["counters"][number];
/** Of one sink, in points: planned = sent + quarantined + given up + its backlog. */
export type SinkCounter = "planned" | "sent" | "quarantined" | "givenUp";

/** Counts what the component did since it started. */
export class UploaderHealth {
  readonly #counters = new Map<string, number>();
  readonly #sums = { commitMs: { sum: 0, count: 0 }, uploadMs: { sum: 0, count: 0 } };
  readonly #startedMs: Instant;

  readonly #component: ComponentName;
  readonly #componentVersion: ComponentVersion;

  constructor(startedMs: Instant, own: Pick<ComponentProcess, "componentName" | "componentVersion">) {
    this.#startedMs = startedMs;
    this.#component = ComponentName.parse(own.componentName);
    this.#componentVersion = ComponentVersion.parse(own.componentVersion);
    for (const name of healthKeys.streamUploader.counters) this.#counters.set(name, 0);
  }

  count(name: CounterName, by = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }

  countOfSink(sink: string, what: SinkCounter, by: number): void {
    const name = `${sink}.${what}`;
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }

  observe(name: "commitMs" | "uploadMs", value: number): void {
    this.#sums[name].sum += value;
    this.#sums[name].count++;
  }

  report(gauges: Readonly<Record<Key["gauges"][number], number> & Record<string, number>>): ComponentHealth {
    return {
      version: 1,
      component: this.#component,
      componentVersion: this.#componentVersion,
      startedMs: this.#startedMs,
      counters: Object.fromEntries(this.#counters),
      gauges,
      sums: { commitMs: { ...this.#sums.commitMs }, uploadMs: { ...this.#sums.uploadMs } },
    };
  }
}
