import { type ComponentHealth, Heartbeat } from "@coalmine/contract";
import * as z from "zod";

const Heard = z.compile(Heartbeat);

/** Sums of one component's health over everything that reported it in one version. */
export interface VersionHealth {
  readonly component: string;
  readonly version: string;
  readonly runs: number;
  readonly counters: Readonly<Record<string, number>>;
  /** Mean of what was observed, where anything was. */
  readonly means: Readonly<Record<string, number>>;
}

/**
 * Hears the heartbeats of a fleet. Counters are cumulative since a component started, so that of each run the last is
 * all there is to keep.
 */
export class HealthWitness {
  /** By thing, what each run of each component last said. */
  readonly #last = new Map<string, ComponentHealth[]>();
  readonly #sequences = new Map<string, number>();
  /** When they were sent. */
  readonly #sentMs: number[] = [];
  heartbeats = 0;
  unreadable = 0;

  hear(topic: string, payload: Uint8Array): void {
    if (!/^coalmine\/[^/]+\/heartbeat$/.test(topic)) return;
    const read = Heard.safeParse(json(payload));
    if (!read.success) {
      this.unreadable++;
      return;
    }
    this.heartbeats++;
    const { thing, components, sequence, sentMs } = read.data;
    this.#sentMs.push(sentMs);
    this.#sequences.set(thing, sequence);
    const runs = this.#last.get(thing) ?? [];
    this.#last.set(thing, runs);
    for (const health of components) {
      const known = runs.findLastIndex((run) => isOneRun(run, health));
      runs[known === -1 ? runs.length : known] = health;
    }
  }

  /** Heartbeats that were sent from one instant until before another, whenever they arrived. */
  sentWithin(fromMs: number, untilMs: number): number {
    return this.#sentMs.filter((sentMs) => sentMs >= fromMs && sentMs < untilMs).length;
  }

  /** By component and version. */
  versions(): readonly VersionHealth[] {
    const grouped = Map.groupBy(
      [...this.#last.values()].flat(),
      ({ component, componentVersion }) => `${component}/${componentVersion}`,
    );
    return [...grouped.values()].flatMap((runs) => {
      const [first] = runs;
      if (first === undefined) return [];
      const counters: Record<string, number> = {};
      const sums: Record<string, { sum: number; count: number }> = {};
      for (const run of runs) {
        for (const [name, count] of Object.entries(run.counters))
          counters[name] = (counters[name] ?? 0) + count;
        for (const [name, { sum, count }] of Object.entries(run.sums)) {
          const so = (sums[name] ??= { sum: 0, count: 0 });
          so.sum += sum;
          so.count += count;
        }
      }
      const means = Object.fromEntries(
        Object.entries(sums).flatMap(([name, { sum, count }]) => (count === 0 ? [] : [[name, sum / count]])),
      );
      return [
        {
          component: first.component,
          version: first.componentVersion,
          runs: runs.length,
          counters,
          means,
        },
      ];
    });
  }
}

function isOneRun(one: ComponentHealth, other: ComponentHealth): boolean {
  return (
    one.component === other.component &&
    one.startedMs === other.startedMs &&
    one.componentVersion === other.componentVersion
  );
}

const decoder = new TextDecoder();

function json(payload: Uint8Array): unknown {
  try {
    // A thousand devices send one a minute, and a decoder a message would take as long as reading its text.
    return JSON.parse(decoder.decode(payload));
  } catch {
    return undefined;
  }
}
