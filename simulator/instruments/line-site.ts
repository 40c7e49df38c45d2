import { writeNumber } from "@coalmine/modbus";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { hostedLinks } from "./hosted-links.ts";
import type { LineOptions } from "./memory-link.ts";
import { ModbusSlave, type SlaveOptions } from "./modbus-slave.ts";
import { nmea, TextInstrument } from "./text-instrument.ts";

export interface LineSiteOptions {
  readonly slave?: Partial<SlaveOptions>;
  readonly line?: (random: SeededRandom, clock: DrivenClock) => LineOptions;
  readonly startMs?: number;
}

/** Two Modbus meters on one serial line, and a weather station that sends text over TCP, on a driven clock of their own. */
export function simulatedLines(given: LineSiteOptions = {}) {
  const clock = new DrivenClock(
    given.startMs ?? Date.UTC(2026, 0, 5),
    () => new Promise((done) => setImmediate(done)),
  );
  const random = new SeededRandom("lines");
  const slave = meter(clock, given.slave);
  const text = new TextInstrument({
    id: "weather:4001",
    clock,
    periodMs: 500,
    content: (count) => nmea(`WIMDA,${count},${count % 10 === 0 ? "" : "21.5"}`),
  });
  const links = hostedLinks([slave, text], given.line?.(random, clock) ?? { clock, latencyMs: () => 2 });
  return { clock, random, links, slave, text };
}

/** Registers 0 and 1: a float, counting with time; 2: the time in tenths of a second, as u16; 10 and 11 do not exist. */
function meter(clock: DrivenClock, given: Partial<SlaveOptions> = {}) {
  return new ModbusSlave({
    id: "rs485",
    framing: "rtu",
    clock,
    units: [1, 2],
    exists: (_, address) => address < 10 || address > 11,
    value: (_unit, _code, address) => {
      if (address > 1) return Math.floor(clock.monotonicMs() / 100) & 0xffff;
      const bytes = writeNumber(clock.monotonicMs() / 1000, "f32", "cdab");
      return (bytes[2 * address] ?? 0) * 256 + (bytes[2 * address + 1] ?? 0);
    },
    thinksMs: () => 5,
    ...given,
  });
}
