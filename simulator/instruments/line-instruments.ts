import { InstrumentId } from "@coalmine/contract";
import type { Clock, Timer } from "@coalmine/ports";
import { writeNumber } from "@coalmine/modbus";
import type { SeededRandom } from "@coalmine/runtime/seeded-random";
import * as z from "zod";
import { BridgeAccelerometer } from "./bridge-accelerometer.ts";
import { FlowMeter } from "./flow-meter.ts";
import type { Attachable } from "./hosted-links.ts";
import { ModbusSlave } from "./modbus-slave.ts";
import { recordedGait, recordedPulse, type RecordedSignal } from "./recordings.ts";
import { nmea, TextInstrument } from "./text-instrument.ts";

/** Instruments that do not speak the framed protocol: what they measure, and how it goes over their line. */
export const lineInstrumentKinds = ["bridge", "flow-meter", "pulse", "gait"] as const;
export type LineInstrumentKind = (typeof lineInstrumentKinds)[number];

/** `id=kind,…`: several instruments. */
export const LineInstruments = z.string().transform((text, context) => {
  const kinds = new Map<string, LineInstrumentKind>();
  for (const part of text.split(",").filter((each) => each !== "")) {
    const [name, kindName] = part.split("=");
    const [id, kind] = [InstrumentId.safeParse(name), z.enum(lineInstrumentKinds).safeParse(kindName)];
    if (id.success && kind.success) kinds.set(id.data, kind.data);
    else
      context.addIssue({
        code: "custom",
        message: `"${part}" names no instrument; write ID=${lineInstrumentKinds.join(", or ID=")}`,
      });
  }
  return kinds;
});

export interface LineInstrument extends Attachable {
  start(): void;
  stop(): void;
}

interface Parts {
  readonly id: string;
  readonly clock: Clock;
  readonly random: SeededRandom;
}

/** Samples a second: the second mode needs 34, and the third is not felt at a third of the span, where the sensor is. */
const BRIDGE_HZ = 50;
const FLOW_PERIOD_MS = 1000;
/** A bridge that loses a fiftieth of its stiffness in the middle each day, from the beginning on. */
const developing = { lostSharePerDay: 0.02, fromMetres: 12, toMetres: 18 };

const makers: Readonly<Record<LineInstrumentKind, (parts: Parts) => LineInstrument>> = {
  bridge: (parts) => {
    const { clock, random } = parts;
    const bridge = new BridgeAccelerometer({ random, damage: { ...developing, fromMs: clock.now() } });
    return texts(parts, 1000 / BRIDGE_HZ, (count) =>
      nmea(`PBRDG,${count},${bridge.sample(clock.now()).toFixed(5)}`),
    );
  },
  "flow-meter": meterOnModbus,
  pulse: (parts) => replayed(parts, "PPULS", recordedPulse()),
  gait: (parts) => replayed(parts, "PGAIT", recordedGait()),
};

export function lineInstrument(kind: LineInstrumentKind, parts: Parts): LineInstrument {
  return makers[kind](parts);
}

function texts({ id, clock }: Parts, periodMs: number, content: (count: number) => string): LineInstrument {
  return new TextInstrument({ id, clock, periodMs, content });
}

/** A recording at the rate at which it was recorded, again from its beginning when it is over. */
function replayed(parts: Parts, talker: string, { periodMs, samples }: RecordedSignal): LineInstrument {
  return texts(parts, periodMs, (count) =>
    nmea(`${talker},${count},${(samples[count % samples.length] ?? []).join(",")}`),
  );
}

/**
 * Modbus RTU, unit 1, input registers: 0 flow in m³/h, 2 volume in m³ and 4 temperature in °C, each an f32 with the high word
 * first; 6 is 1 while the reading is valid. Measured once a second, whether or not anybody asks.
 */
function meterOnModbus({ id, clock, random }: Parts): LineInstrument {
  const meter = new FlowMeter({ random });
  let registers: readonly number[] = [0, 0, 0, 0, 0, 0, 0];
  let timer: Timer | undefined;
  const measure = (): void => {
    const { flow, volume, temperatureC, isValid } = meter.read(clock.now());
    registers = [...[flow, volume, temperatureC].flatMap(wordsOf), isValid ? 1 : 0];
    timer = clock.timer(FLOW_PERIOD_MS, measure);
  };
  const slave = new ModbusSlave({
    id,
    framing: "rtu",
    clock,
    exists: (code, address) => code === 4 && address < registers.length,
    value: (_unit, _code, address) => registers[address] ?? 0,
  });
  return {
    id,
    attach: (link) => slave.attach(link),
    start: measure,
    stop: () => timer?.cancel(),
  };
}

function wordsOf(value: number): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = writeNumber(value, "f32", "abcd");
  return [256 * a + b, 256 * c + d];
}
