import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { mirrored, MIRROR_RATIO, unmirrored } from "@coalmine/instrument/self-test/mirrored";
import { type Character, overLine, rightWires, type Wires } from "./uart.ts";

const random = new SeededRandom("uart");
const some = (count: number) => Uint8Array.from({ length: count }, () => random.below(256));
const at = (baudRate: number, parity: "none" | "even" | "odd" = "none"): Character => ({ baudRate, parity });
const swapped: Wires = { swapped: true, idle: "mark" };

test("at the same rate, and 2 % beside it, every byte arrives, with any parity; 8 % beside it few do", () => {
  const bytes = some(500);
  for (const parity of ["none", "even", "odd"] as const)
    for (const rate of [9600, 9408, 9792])
      expect([...overLine(bytes, at(9600, parity), at(rate, parity), rightWires, random)]).toEqual([
        ...bytes,
      ]);
  expect(overLine(bytes, at(9600), at(10_400), rightWires, random)).not.toEqual(bytes);
});

test("a zero sent at half the receiver's rate is a break, and 0x55 at its rate a 0x33 without a stop bit", () => {
  // 10 bits of 2: start and data last 18 of the receiver's, longer than a character.
  expect([...overLine(Uint8Array.of(0), at(4800), at(9600), rightWires, random)]).toEqual([0]);
  // Start 00, then 1 1 0 0 1 1 0 and the next 0 where the stop bit should be: dropped, as IGNPAR has it.
  const [first] = overLine(Uint8Array.of(0xf8), at(4800), at(9600), rightWires, random);
  expect(first).toBe(0x80);
});

test("what was sent with one parity is dropped where the other is expected, but for no bit where none is", () => {
  const bytes = some(200);
  expect(overLine(bytes, at(9600, "even"), at(9600, "odd"), rightWires, random)).toHaveLength(0);
});

test("upside down, text comes as it can be turned round, and a question drawn upside down comes right", () => {
  const text = new TextEncoder().encode("$WIMDA,29.8,I,1.009,B,21.5,C*1A\r\n");
  const heard = unmirrored(overLine(text, at(4800), at(4800), swapped, random));
  // The first letters have other edges that it may take for start bits.
  expect(new TextDecoder().decode(heard)).toContain("29.8,I,1.009,B,21.5,C*1A\r\n");
  for (const idle of ["mark", "space"] as const)
    for (const parity of ["none", "even"] as const) {
      const question = some(24);
      const arrived = overLine(
        mirrored(question, parity),
        at(MIRROR_RATIO * 9600),
        at(9600, parity),
        { swapped: true, idle },
        random,
      );
      expect([...arrived].slice(-24 - (idle === "space" ? 1 : 0), idle === "space" ? -1 : undefined)).toEqual(
        [...question],
      );
    }
});
