import { ComponentHealth, ComponentName, ComponentVersion, topics } from "@coalmine/contract";
import type { Clock, ComponentProcess, Ipc, Timer } from "@coalmine/ports";
import { phaseOf, untilPhase } from "./phase.ts";

export interface HealthKeys {
  readonly counters: readonly string[];
  readonly gauges: readonly string[];
  readonly sums: readonly string[];
}

/**
 * What a component counts of itself, published on its health topic at an interval. A publication that fails is not
 * tried again: the next one carries the same cumulative counts.
 */
export class HealthReport<Keys extends HealthKeys> {
  readonly #counters: Record<string, number>;
  readonly #gauges: Record<string, number>;
  readonly #sums: Record<string, { sum: number; count: number }>;
  readonly #component: ComponentName;
  readonly #componentVersion: ComponentVersion;
  readonly #startedMs: number;
  readonly #phaseMs: number;
  readonly #ports: { clock: Clock; ipc: Pick<Ipc, "publish">; process: ComponentProcess };
  #timer: Timer | undefined;

  constructor(keys: Keys, ports: { clock: Clock; ipc: Pick<Ipc, "publish">; process: ComponentProcess }) {
    this.#ports = ports;
    this.#component = ComponentName.parse(ports.process.componentName);
    this.#componentVersion = ComponentVersion.parse(ports.process.componentVersion);
    this.#startedMs = ports.clock.now();
    this.#phaseMs = phaseOf(ports.process.thingName);
    this.#counters = Object.fromEntries(keys.counters.map((key) => [key, 0]));
    this.#gauges = Object.fromEntries(keys.gauges.map((key) => [key, 0]));
    this.#sums = Object.fromEntries(keys.sums.map((key) => [key, { sum: 0, count: 0 }]));
  }

  add(counter: Keys["counters"][number], by = 1): void {
    this.#counters[counter] = (this.#counters[counter] ?? 0) + by;
  }

  set(gauge: Keys["gauges"][number], value: number): void {
    this.#gauges[gauge] = value;
  }

  observe(sum: Keys["sums"][number], value: number): void {
    const entry = (this.#sums[sum] ??= { sum: 0, count: 0 });
    entry.sum += value;
    entry.count++;
  }

  count(counter: Keys["counters"][number]): number {
    return this.#counters[counter] ?? 0;
  }

  message(): ComponentHealth {
    return {
      version: 1,
      component: this.#component,
      componentVersion: this.#componentVersion,
      startedMs: this.#startedMs,
      counters: { ...this.#counters },
      gauges: { ...this.#gauges },
      sums: Object.fromEntries(
        Object.entries(this.#sums).map(([key, { sum, count }]) => [key, { sum, count }]),
      ),
    };
  }

  async publish(): Promise<void> {
    await this.#ports.ipc
      .publish(topics.health(this.#ports.process.componentName), { json: this.message() })
      .catch(() => undefined);
  }

  /**
   * Publishes now, and then once every `intervalMs` when the device's other components do, until `stop`. `before` may bring
   * gauges up to date.
   */
  start(intervalMs: () => number, before: () => void = () => undefined): void {
    before();
    void this.publish();
    const { clock } = this.#ports;
    const next = (): void => this.start(intervalMs, before);
    this.#timer = clock.timer(untilPhase(clock, this.#phaseMs, intervalMs()), next);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
