import type { Random } from "@coalmine/ports";

/** How a sender or a receiver understands a character; 8, none and 1 unless stated. */
export interface Character {
  readonly baudRate: number;
  readonly dataBits?: 7 | 8;
  readonly parity?: "none" | "even" | "odd";
  readonly stopBits?: 1 | 2;
}

/** What the wires do: whether the two data wires are swapped, and what the receiver sees while nobody sends. */
export interface Wires {
  readonly swapped: boolean;
  /** Swapped and always driven, as RS-422 is, an idle line is a space: a break that does not end. */
  readonly idle: "mark" | "space";
}

export const rightWires: Wires = { swapped: false, idle: "mark" };
/** A UART looks at the line 16 times a bit. */
const OVERSAMPLING = 16;

/**
 * What a receiver makes of bytes that a sender puts on a line without a pause: the line's levels are made bit by bit at
 * the sender's rate and sampled in the middle of each bit at the receiver's, from the edge that it took for a start bit on.
 * A character without its stop bit, or with the wrong parity, is dropped, and a break is a zero, as a serial port opened
 * with IGNPAR has them.
 * @see termios(3), IGNPAR and BRKINT
 */
export function overLine(
  bytes: Uint8Array,
  from: Character,
  to: Character,
  wires: Wires,
  random: Random,
): Uint8Array {
  const sent = levels(bytes, from);
  const idle = wires.idle === "mark";
  const level = (at: number) => (at < 0 || at >= sent.length ? idle : sent[Math.floor(at)] !== wires.swapped);
  /** A receiver's bit, in bits of the sender. */
  const step = from.baudRate / to.baudRate;
  const { dataBits = 8, parity = "none" } = to;
  const heard: number[] = [];
  for (let at = 0; at < sent.length;) {
    // The next edge from mark to space, which it sees up to one look late.
    let edge = Math.ceil(at);
    while (edge <= sent.length && !(level(edge - 1) && !level(edge))) edge++;
    if (edge > sent.length) break;
    const start = edge + (random.next() * step) / OVERSAMPLING;
    const bit = (index: number) => level(start + (index + 0.5) * step);
    if (bit(0)) {
      at = start + 0.5 * step;
      continue;
    }
    let value = 0;
    let ones = 0;
    for (let index = 0; index < dataBits; index++)
      if (bit(1 + index)) {
        value |= 1 << index;
        ones++;
      }
    const parityBits = parity === "none" ? 0 : 1;
    const fits = parityBits === 0 || bit(1 + dataBits) === ((ones & 1) === (parity === "even" ? 1 : 0));
    at = start + (1 + dataBits + parityBits + 0.5) * step;
    if (level(at)) {
      if (fits) heard.push(value);
      continue;
    }
    if (value === 0) heard.push(0);
    // Only a mark ends it: what follows is not taken for a start bit.
    while (at < sent.length && !level(at)) at = Math.floor(at) + 1;
  }
  return Uint8Array.from(heard);
}

/** Mark is true: start bit, data from the lowest bit on, parity, stop bits, of each byte. */
function levels(bytes: Uint8Array, { dataBits = 8, parity = "none", stopBits = 1 }: Character): boolean[] {
  const bits: boolean[] = [];
  for (const byte of bytes) {
    bits.push(false);
    let ones = 0;
    for (let index = 0; index < dataBits; index++) {
      const one = ((byte >> index) & 1) === 1;
      bits.push(one);
      if (one) ones++;
    }
    if (parity !== "none") bits.push((ones & 1) === (parity === "even" ? 1 : 0));
    for (let index = 0; index < stopBits; index++) bits.push(true);
  }
  return bits;
}
