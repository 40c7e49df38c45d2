import fc from "fast-check";
import { expect, test } from "vitest";
import { crc16 } from "./crc16.ts";
import { MbapDecoder, mbapFrame, type MbapFrame } from "./mbap.ts";
import { readNumber, RegisterOrder, typeSize, writeNumber, type RegisterType } from "./register-type.ts";
import { readReply, requestPdu, type ReadRequest } from "./request.ts";
import { findReply, rtuFrame, silenceMs } from "./rtu.ts";

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

test("the specification's own example of reading holding registers, and the CRC its serial line has", () => {
  const request: ReadRequest = { unit: 17, function: 3, address: 107, count: 3 };
  expect(requestPdu(request)).toEqual(bytes("03006b0003"));
  expect(rtuFrame(17, requestPdu(request))).toEqual(bytes("1103006b00037687"));
  expect(readReply(request, bytes("0306022b00000064"))).toEqual({
    kind: "values",
    data: bytes("022b00000064"),
  });
  expect(readReply(request, bytes("8302"))).toEqual({ kind: "exception", code: 2 });
  expect(crc16(new TextEncoder().encode("123456789"))).toBe(0x4b37);
});

test("what answers another request is no answer: unit, function, length", () => {
  const request: ReadRequest = { unit: 1, function: 4, address: 0, count: 2 };
  const reply = (unit: number, pdu: string) => findReply(request, rtuFrame(unit, bytes(pdu)));
  expect(reply(1, "040400010002")).toMatchObject({ kind: "values" });
  expect(reply(1, "8402")).toEqual({ kind: "exception", code: 2 });
  expect(reply(2, "040400010002")).toBeUndefined();
  expect(reply(1, "030400010002")).toBeUndefined();
  expect(reply(1, "04020001")).toBeUndefined();
  expect(reply(1, "8302")).toBeUndefined();
});

test("numbers of every type and byte order come back as they were written", () => {
  const within: Record<Exclude<RegisterType, "bit">, fc.Arbitrary<number>> = {
    u16: fc.integer({ min: 0, max: 0xffff }),
    i16: fc.integer({ min: -0x8000, max: 0x7fff }),
    u32: fc.integer({ min: 0, max: 0xffff_ffff }),
    i32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    f32: fc.float({ noNaN: true }),
    f64: fc.double({ noNaN: true }),
  };
  for (const type of ["u16", "i16", "u32", "i32", "f32", "f64"] as const)
    fc.assert(
      fc.property(
        within[type],
        fc.constantFrom(...RegisterOrder.options),
        fc.nat(5),
        (value, order, offset) => {
          const data = new Uint8Array(2 * (offset + typeSize[type]));
          data.set(writeNumber(value, type, order), 2 * offset);
          expect(readNumber(data, offset, type, order)).toBe(value);
        },
      ),
    );
  const number = (order: RegisterOrder) => readNumber(bytes("aabbccdd"), 0, "u32", order).toString(16);
  expect(RegisterOrder.options.map(number)).toEqual(["aabbccdd", "ccddaabb", "bbaaddcc", "ddccbbaa"]);
  expect([0, 1, 9].map((bit) => readNumber(bytes("0502"), bit, "bit", "abcd"))).toEqual([1, 0, 1]);
});

test("TCP frames come back whole however the bytes are cut, and after garbage", () => {
  const frames = fc.array(
    fc.record({
      transaction: fc.nat(0xffff),
      unit: fc.nat(255),
      pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }),
    }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(frames, fc.array(fc.nat(30)), (sent, cuts) => {
      const line = Uint8Array.from(
        sent.flatMap(({ transaction, unit, pdu }) => [...mbapFrame(transaction, unit, pdu)]),
      );
      const heard: MbapFrame[] = [];
      const decoder = new MbapDecoder((frame) => heard.push(frame));
      let at = 0;
      for (const cut of cuts) decoder.push(line.subarray(at, (at += cut)));
      decoder.push(line.subarray(at));
      expect(heard).toEqual(sent);
    }),
  );
  const heard: MbapFrame[] = [];
  const decoder = new MbapDecoder((frame) => heard.push(frame));
  decoder.push(Uint8Array.from({ length: 40 }, () => 0xff));
  decoder.push(mbapFrame(7, 1, bytes("030200ff")));
  expect(heard).toEqual([{ transaction: 7, unit: 1, pdu: bytes("030200ff") }]);
});

test("3.5 characters of silence, and never less than 1.75 ms", () => {
  expect(silenceMs(9600)).toBeCloseTo(4.01, 2);
  expect(silenceMs(115_200)).toBe(1.75);
});
