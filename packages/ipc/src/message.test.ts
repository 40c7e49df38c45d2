import fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzed } from "../../../test/fuzzed.ts";
import { crc32 } from "@coalmine/runtime/crc32";
import { FramingError } from "./framing-error.ts";
import { HEADER_BLOCK_BYTES_MAX, type Header, headerBlockBytes } from "./header-block.ts";
import { encodeMessage, MESSAGE_BYTES_MAX, MessageDecoder, type Message } from "./message.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const value = fc.oneof(
  fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("int8" as const), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ type: fc.constant("int16" as const), value: fc.integer({ min: -32768, max: 32767 }) }),
  fc.record({ type: fc.constant("int32" as const), value: fc.integer() }),
  fc.record({
    type: fc.constantFrom("int64" as const, "timestamp" as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.record({ type: fc.constant("bytes" as const), value: bytes(300) }),
  fc.record({ type: fc.constant("string" as const), value: fc.string({ unit: "grapheme", maxLength: 60 }) }),
  fc.record({
    type: fc.constant("uuid" as const),
    value: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  }),
);
const header: fc.Arbitrary<Header> = fc
  .tuple(fc.string({ minLength: 1, maxLength: 127 }), value)
  .map(([name, typed]) => ({ name, ...typed }));
const message: fc.Arbitrary<Message> = fc.record({
  headers: fc.array(header, { maxLength: 8 }),
  payload: bytes(2000),
});

/** Pushes `stream` cut at `cuts` (fractions), and gives the messages, or the error after those before it. */
function decodeCut(stream: Uint8Array, cuts: readonly number[]): { messages: Message[]; failure?: unknown } {
  const decoder = new MessageDecoder();
  const messages: Message[] = [];
  const ends = [...cuts.map((cut) => Math.floor(cut * stream.length)), stream.length].toSorted(
    (a, b) => a - b,
  );
  let start = 0;
  try {
    for (const end of ends) {
      decoder.push(stream.subarray(start, end), (found) => messages.push(found));
      start = end;
    }
  } catch (failure) {
    return { messages, failure };
  }
  return { messages };
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

test("messages come back as they were, however the stream was cut", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), cuts, (messages, cuts) => {
      const stream = Buffer.concat(messages.map(encodeMessage));
      expect(decodeCut(stream, cuts)).toEqual({ messages });
    }),
  );
});

test("a stream that arrives byte by byte is the same stream", () => {
  fc.assert(
    fc.property(message, (sent) => {
      const stream = encodeMessage(sent);
      const everywhere = Array.from({ length: stream.length }, (_, index) => index / stream.length);
      expect(decodeCut(stream, everywhere)).toEqual({ messages: [sent] });
    }),
    { numRuns: 30 },
  );
});

test("a changed byte is always noticed: a typed error, or no message for as long as more is awaited", () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), cuts, (sent, at, change, cuts) => {
      const stream = encodeMessage(sent);
      const index = at % stream.length;
      stream[index] = (stream[index] ?? 0) ^ change;
      const { messages, failure } = decodeCut(stream, cuts);
      expect(messages).toEqual([]);
      if (failure !== undefined) expect(failure).toBeInstanceOf(FramingError);
    }),
    { numRuns: 500 },
  );
});

test("any bytes at all, with checksums that fit, are a message or a typed error", async () => {
  await fuzzed(
    fc.property(bytes(200), fc.nat({ max: 220 }), cuts, (body, headerBytes, cuts) => {
      const stream = new Uint8Array(16 + body.length);
      const view = new DataView(stream.buffer);
      view.setUint32(0, stream.length);
      view.setUint32(4, headerBytes);
      view.setUint32(8, crc32(stream.subarray(0, 8)));
      stream.set(body, 12);
      view.setUint32(stream.length - 4, crc32(stream.subarray(0, stream.length - 4)));
      const { messages, failure } = decodeCut(stream, cuts);
      if (failure === undefined) expect(messages).toHaveLength(1);
      else expect(failure).toBeInstanceOf(FramingError);
    }),
  );
});

test("after a failure a decoder stays failed", () => {
  const decoder = new MessageDecoder();
  const take = () => {};
  expect(() => decoder.push(new Uint8Array(16), take)).toThrow(FramingError);
  expect(() => decoder.push(encodeMessage({ headers: [], payload: new Uint8Array() }), take)).toThrow(
    FramingError,
  );
});

test("a prelude that claims too much is refused before anything is kept for it", () => {
  const prelude = new Uint8Array(12);
  const view = new DataView(prelude.buffer);
  for (const [total, headers] of [
    [MESSAGE_BYTES_MAX + 1, 0],
    [15, 0],
    [1000, 985],
    [MESSAGE_BYTES_MAX, HEADER_BLOCK_BYTES_MAX + 1],
  ] as const) {
    view.setUint32(0, total);
    view.setUint32(4, headers);
    view.setUint32(8, crc32(prelude.subarray(0, 8)));
    expect(() => new MessageDecoder().push(prelude, () => {})).toThrow(FramingError);
  }
});

test("the largest message passes, a byte more is refused", () => {
  const largest = new Uint8Array(MESSAGE_BYTES_MAX - 16);
  const stream = encodeMessage({ headers: [], payload: largest });
  const decoder = new MessageDecoder();
  const found: number[] = [];
  for (let start = 0; start < stream.length; start += 65_536)
    decoder.push(stream.subarray(start, start + 65_536), (message) => found.push(message.payload.length));
  expect(found).toEqual([largest.length]);
  expect(() => encodeMessage({ headers: [], payload: new Uint8Array(largest.length + 1) })).toThrow(
    /send less at once/,
  );
});

test("texts beyond ASCII, short and long, and those that are no UTF-8, are told apart", () => {
  for (const value of [
    "",
    "a",
    "\u007f",
    "\u0080",
    "ä",
    "日本",
    "\ufeffmark",
    `${"x".repeat(100)}ü`,
    "𝄞".repeat(60),
  ]) {
    const sent: Message = {
      headers: [{ name: `n${value}`.slice(0, 21), type: "string", value }],
      payload: new Uint8Array(),
    };
    // Twice: what was encoded before is not encoded again.
    expect(decodeCut(encodeMessage(sent), [])).toEqual({ messages: [sent] });
    expect(decodeCut(encodeMessage(sent), [])).toEqual({ messages: [sent] });
  }
  const broken = encodeMessage({
    headers: [{ name: "n", type: "string", value: "abc" }],
    payload: new Uint8Array(),
  });
  broken[17] = 0xff;
  new DataView(broken.buffer).setUint32(broken.length - 4, crc32(broken.subarray(0, -4)));
  expect(decodeCut(broken, []).failure).toBeInstanceOf(FramingError);
});

test("headers that do not fit their type or limit are refused", () => {
  const bad: Header[] = [
    { name: "", type: "boolean", value: true },
    { name: "n".repeat(128), type: "boolean", value: true },
    { name: "n", type: "int8", value: 128 },
    { name: "n", type: "int32", value: 0.5 },
    { name: "n", type: "int64", value: 2n ** 63n },
    { name: "n", type: "uuid", value: new Uint8Array(15) },
    { name: "n", type: "bytes", value: new Uint8Array(32_768) },
  ];
  for (const header of bad) expect(() => headerBlockBytes([header]), header.type).toThrow(FramingError);
  const many = Array.from({ length: 5 }, (): Header => ({
    name: "n",
    type: "bytes",
    value: new Uint8Array(32_767),
  }));
  expect(() => headerBlockBytes(many)).toThrow(/131072 are allowed/);
});
