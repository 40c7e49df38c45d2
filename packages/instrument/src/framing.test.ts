import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, PAYLOAD_BYTES_MAX, type Frame } from "./frame.ts";
import { FrameDecoder, type Decoded } from "./frame-decoder.ts";
import { cobs, slip, type Framing } from "./framing.ts";

const u32 = fc.nat({ max: 2 ** 32 - 1 });
const zeroish = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
const frames = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  sequence: u32,
  boot: u32,
  deviceUs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  payload: fc.array(zeroish, { maxLength: PAYLOAD_BYTES_MAX }).map((bytes) => Uint8Array.from(bytes)),
});

const both = [
  ["COBS", cobs],
  ["SLIP", slip],
] as const;

function decode(chunks: readonly Uint8Array[], framing: Framing = cobs): Decoded[] {
  const heard: Decoded[] = [];
  const decoder = new FrameDecoder((decoded) => heard.push(decoded), framing);
  for (const chunk of chunks) decoder.push(chunk);
  return heard;
}
function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
const framesIn = (heard: readonly Decoded[]) =>
  heard.flatMap((decoded) => (decoded.kind === "frame" ? [decoded.frame] : []));

test.each(both)("%s leaves no delimiter, gives the bytes back, and stays within its bound", (_, framing) => {
  const special = fc.oneof(zeroish, fc.constantFrom(0xc0, 0xdb, 0xdc, 0xdd));
  const long = fc.oneof(
    fc.array(special, { maxLength: 600 }),
    fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 250, maxLength: 600 }),
  );
  fc.assert(
    fc.property(long, (list) => {
      const bytes = Uint8Array.from(list);
      const into = new Uint8Array(framing.encodedMax(bytes.length));
      const end = framing.encode(bytes, into, 0);
      expect(into.subarray(0, end)).not.toContain(framing.delimiter);
      const back = new Uint8Array(bytes.length);
      expect(framing.decode(into, 0, end, back)).toBe(bytes.length);
      expect(back).toEqual(bytes);
    }),
  );
});

test.each(both)("%s frames come back whole and in order, however the bytes are cut", (_, framing) => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 6 }), fc.array(fc.nat({ max: 40 })), (sent, cuts) => {
      const line = join(sent.map((frame) => encodeFrame(frame, framing)));
      const chunks: Uint8Array[] = [];
      let at = 0;
      for (const cut of cuts) chunks.push(line.subarray(at, (at += cut)));
      chunks.push(line.subarray(at));
      expect(decode(chunks, framing)).toEqual(sent.map((frame) => ({ kind: "frame", frame })));
    }),
  );
});

test("a payload beyond the bound is refused in words", () => {
  expect(() =>
    encodeFrame({ type: 1, sequence: 0, boot: 0, deviceUs: 0, payload: new Uint8Array(201) }),
  ).toThrow("at most 200");
});

test.each(both)(
  "%s: damage costs at most the frames it touches and the one after a lost delimiter, and invents none",
  (_, framing) => {
    const damage = fc.record({
      kind: fc.constantFrom("flip", "drop", "insert"),
      at: fc.nat({ max: 10_000 }),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    const many = fc.array(frames, { minLength: 4, maxLength: 12 });
    fc.assert(
      fc.property(many, fc.array(damage, { minLength: 1, maxLength: 4 }), (sent, damages) => {
        const line = [...join(sent.map((frame) => encodeFrame(frame, framing)))];
        for (const { kind, at, byte } of damages) {
          const index = at % line.length;
          if (kind === "flip") line[index] = (line[index] ?? 0) ^ (byte || 1);
          else if (kind === "drop") line.splice(index, 1);
          else line.splice(index, 0, byte);
        }
        const got = framesIn(decode([Uint8Array.from(line)], framing)).map((frame) => JSON.stringify(frame));
        const allowed = sent.map((frame) => JSON.stringify(frame));
        let from = 0;
        for (const text of got) {
          from = allowed.indexOf(text, from) + 1;
          expect(from, "a frame that was never sent, or out of order").toBeGreaterThan(0);
        }
        expect(got.length).toBeGreaterThanOrEqual(sent.length - 2 * damages.length);
      }),
      { numRuns: 2000 },
    );
  },
  30_000,
);

const rounds = process.env["COALMINE_LONG"] === "1" ? 10_000_000 : 100_000;

test.each(both)(
  `of ${rounds} corrupted %s frames none is accepted, and the intact frame after each always is`,
  (_, framing) => {
    const frame = (sequence: number): Frame => ({
      type: 2,
      sequence,
      boot: 3,
      deviceUs: 1e9 + sequence,
      payload: Uint8Array.from({ length: 24 }, (_, index) => (index * 37 + sequence) & 0xff),
    });
    const pristine = encodeFrame(frame(1), framing);
    const intact = encodeFrame(frame(2), framing);
    let accepted = 0;
    let intactSeen = 0;
    const decoder = new FrameDecoder((decoded) => {
      if (decoded.kind !== "frame") return;
      if (decoded.frame.sequence === 2) intactSeen++;
      else accepted++;
    }, framing);
    // A small generator of its own: so many fast-check cases would take minutes.
    let state = 12345;
    const below = (limit: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let round = 0; round < rounds; round++) {
      const bad = pristine.slice();
      for (let flips = 1 + below(4); flips > 0; flips--) {
        const at = 1 + below(bad.length - 2);
        bad[at] = (bad[at] ?? 0) ^ (1 << below(8));
      }
      // Two flips may undo each other.
      if (bad.every((byte, index) => byte === pristine[index])) bad[5] = (bad[5] ?? 0) ^ 1;
      decoder.push(bad);
      decoder.push(intact);
    }
    expect(accepted).toBe(0);
    expect(intactSeen).toBe(rounds);
  },
  600_000,
);

test("what a boot loader prints is told as text, and the frame behind it arrives", () => {
  const sent: Frame = { type: 1, sequence: 0, boot: 1, deviceUs: 5, payload: Uint8Array.of(1, 2) };
  const text = "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nentry 0x400805e4\r\n";
  const heard = decode([new TextEncoder().encode(text), encodeFrame(sent)]);
  expect(heard).toEqual([
    { kind: "boot-text", text: text.trim() },
    { kind: "frame", frame: sent },
  ]);
});

test("endless bytes without a zero cost one refusal and no memory", () => {
  const decoder = new FrameDecoder(() => undefined);
  for (let round = 0; round < 2000; round++) decoder.push(new Uint8Array(4096).fill(0x81));
  decoder.push(Uint8Array.of(0));
  expect(decoder.framesRefused).toBe(1);
  decoder.push(encodeFrame({ type: 1, sequence: 0, boot: 0, deviceUs: 0, payload: new Uint8Array(0) }));
  expect(decoder.framesReceived).toBe(1);
});

test("decoding keeps up with ten times the fastest serial line", () => {
  const line = join(
    Array.from({ length: 1000 }, (_, sequence) =>
      encodeFrame({
        type: 2,
        sequence,
        boot: 1,
        deviceUs: sequence * 1e6,
        payload: new Uint8Array(24).fill(7),
      }),
    ),
  );
  const decoder = new FrameDecoder(() => undefined);
  const started = performance.now();
  let rounds = 0;
  while (performance.now() - started < 500) {
    for (let at = 0; at < line.length; at += 512) decoder.push(line.subarray(at, at + 512));
    rounds++;
  }
  const perSecond = Math.round((rounds * 1000) / ((performance.now() - started) / 1000));
  console.info(`decode rate: ${perSecond} frames/s of ${line.length / 1000} bytes`);
  expect(decoder.framesReceived).toBe(rounds * 1000);
  // 921,600 baud carries about 1,800 such frames a second; a shared machine still leaves a wide margin.
  expect(perSecond).toBeGreaterThan(18_000);
});
