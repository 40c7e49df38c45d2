import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { hostedLinks } from "./hosted-links.ts";
import { Instrument, type InstrumentOptions } from "./instrument.ts";
import { MemoryLedger } from "./ledger.ts";
import type { LineOptions } from "./memory-link.ts";
import { Rheometer } from "./rheometer.ts";

export interface SiteOptions {
  readonly seed?: string;
  readonly startMs?: number;
  readonly instruments?: number;
  readonly instrument?: Partial<InstrumentOptions>;
  readonly line?: (random: SeededRandom, clock: DrivenClock) => LineOptions;
}

/** Rheometers on hosted lines, on a driven clock of their own: what a component's tests read from. */
export function simulatedSite(options: SiteOptions = {}) {
  const clock = new DrivenClock(
    options.startMs ?? Date.UTC(2026, 0, 5),
    () => new Promise<void>((done) => setImmediate(done)),
  );
  const random = new SeededRandom(options.seed ?? "site");
  const ledger = new MemoryLedger();
  const rheometers: Rheometer[] = [];
  const instruments = Array.from({ length: options.instruments ?? 1 }, (_, index) => {
    const id = `rheo-${index}`;
    const own = random.fork(id);
    const source = new Rheometer({ random: own.fork("rheometer") });
    rheometers.push(source);
    const phaseMs = 60_000 * index + 1000;
    return new Instrument({ id, clock, random: own, source, ledger, phaseMs, ...options.instrument });
  });
  const links = hostedLinks(instruments, options.line?.(random.fork("line"), clock) ?? {});
  return { clock, random, ledger, rheometers, instruments, links };
}
