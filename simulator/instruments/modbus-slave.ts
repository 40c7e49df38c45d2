import type { Clock, Link } from "@coalmine/ports";
import { crc16 } from "@coalmine/modbus/crc16";
import { MbapDecoder, mbapFrame } from "@coalmine/modbus/mbap";
import { rtuFrame } from "@coalmine/modbus/rtu";

export interface SlaveOptions {
  readonly id: string;
  readonly framing: "rtu" | "tcp";
  readonly clock: Pick<Clock, "timer">;
  readonly units?: readonly number[];
  /** How long it thinks about each request; it answers in order. */
  readonly thinksMs?: () => number;
  /** Function 8 as the specification has it, refused as an illegal function, or not answered at all. */
  readonly diagnostics?: "echo" | "refuse" | "silent";
  /** Registers and bits there are, of each function; asked for any other, it answers exception 2. */
  readonly exists?: (code: number, address: number) => boolean;
  /** The 16 bits of a register, or 0 and 1 of a bit; asked when it answers. */
  readonly value: (unit: number, code: number, address: number) => number;
  /** A request of more registers is refused with exception 3. */
  readonly registersMax?: number;
}

const RTU_REQUEST_BYTES = 8;
/** Of what was asked at least so much is remembered: more than any test looks at. */
const ASKED_KEPT = 20_000;

/** A Modbus slave (or several on one line) behind a cable, as slow and as limited as a test wants it. */
export class ModbusSlave {
  readonly id: string;
  readonly #options: SlaveOptions;
  /** The last requests it understood, as `unit function address count`. */
  readonly asked: string[] = [];
  #busyUntil: Promise<void> = Promise.resolve();

  constructor(options: SlaveOptions) {
    this.id = options.id;
    this.#options = options;
  }

  attach(link: Link): void {
    if (this.#options.framing === "tcp") {
      const decoder = new MbapDecoder(({ transaction, unit, pdu }) => {
        this.#answer(unit, pdu, (reply) => link.write(mbapFrame(transaction, unit, reply)));
      });
      link.onData((bytes) => decoder.push(bytes));
    } else {
      let held = new Uint8Array(0);
      link.onData((bytes) => {
        const all = new Uint8Array(held.length + bytes.length);
        all.set(held);
        all.set(bytes, held.length);
        held = all.slice(-256);
        // Requests are eight bytes; what has no checksum anywhere is noise.
        for (let at = 0; at + RTU_REQUEST_BYTES <= held.length; at++) {
          const frame = held.slice(at, at + RTU_REQUEST_BYTES);
          if (crc16(frame, 0, 6) !== (frame[6] ?? 0) + 256 * (frame[7] ?? 0)) continue;
          held = held.slice(at + RTU_REQUEST_BYTES);
          at = -1;
          const [unit = 0] = frame;
          this.#answer(unit, frame.slice(1, 6), (reply) => link.write(rtuFrame(unit, reply)));
        }
      });
    }
    link.onClose(() => undefined);
  }

  #answer(unit: number, pdu: Uint8Array, send: (reply: Uint8Array) => Promise<void>): void {
    const { clock, units = [1], thinksMs = () => 0, diagnostics = "echo" } = this.#options;
    const [code = 0] = pdu;
    if (!units.includes(unit) || (code === 8 && diagnostics === "silent")) return;
    this.#busyUntil = this.#busyUntil.then(
      () =>
        new Promise((resolve) => {
          clock.timer(thinksMs(), () => {
            void send(this.#reply(unit, pdu)).catch(() => undefined);
            resolve();
          });
        }),
    );
  }

  #reply(unit: number, pdu: Uint8Array): Uint8Array {
    const { diagnostics = "echo", exists = () => true, value, registersMax = 125 } = this.#options;
    const [code = 0, high = 0, low = 0, countHigh = 0, countLow = 0] = pdu;
    if (code === 8 && diagnostics === "echo") return pdu;
    if (code < 1 || code > 4) return Uint8Array.of(code | 0x80, 1);
    const address = 256 * high + low;
    const count = 256 * countHigh + countLow;
    this.asked.push(`${unit} ${code} ${address} ${count}`);
    if (this.asked.length > 2 * ASKED_KEPT) this.asked.splice(0, ASKED_KEPT);
    if (count < 1 || count > (code <= 2 ? 2000 : registersMax)) return Uint8Array.of(code | 0x80, 3);
    const addresses = Array.from({ length: count }, (_, index) => address + index);
    if (!addresses.every((each) => exists(code, each))) return Uint8Array.of(code | 0x80, 2);
    const values = addresses.map((each) => value(unit, code, each));
    if (code >= 3)
      return Uint8Array.of(
        code,
        2 * count,
        ...values.flatMap((register) => [register >> 8, register & 0xff]),
      );
    const bytes = new Uint8Array(Math.ceil(count / 8));
    for (const [index, bit] of values.entries())
      if (bit !== 0) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
    return Uint8Array.of(code, bytes.length, ...bytes);
  }
}
