import { InstrumentId } from "@coalmine/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, type Frame } from "./frame.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import { messageTypes, type FromHost, type FromInstrument } from "./message.ts";
import { readFromHost, readFromInstrument } from "./read-message.ts";
import { writeFromHost, writeFromInstrument } from "./write-message.ts";

const u32 = fc.nat({ max: 2 ** 32 - 1 });
const us = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const f32 = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
const position = fc.record({ boot: u32, sequence: u32 });
const head = { boot: u32, deviceUs: us };
const fromInstrument: fc.Arbitrary<FromInstrument> = fc.oneof(
  fc.record({
    kind: fc.constant("hello" as const),
    ...head,
    request: u32,
    instrument: fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/).map((text) => InstrumentId.parse(text)),
    firmware: fc.stringMatching(/^[0-9a-z.+-]{0,30}$/),
    schema: fc.nat({ max: 255 }),
    next: u32,
    kept: u32,
    oldest: position,
    overwritten: u32,
  }),
  fc.record({
    kind: fc.constant("reading" as const),
    ...head,
    sequence: u32,
    reading: fc.record({
      curve: u32,
      point: fc.nat({ max: 19 }),
      points: fc.constant(20),
      shearRate: f32,
      shearStress: f32,
      temperature: f32,
      haematocrit: f32,
      control: fc.boolean(),
      clogged: fc.boolean(),
      clipped: fc.boolean(),
    }),
  }),
  fc.record({ kind: fc.constant("replaying" as const), ...head, request: u32, first: position, count: u32 }),
  fc.record({ kind: fc.constant("time" as const), ...head, request: u32, receivedUs: us, next: u32 }),
  fc.record({
    kind: fc.constant("measured" as const),
    ...head,
    request: u32,
    reading: fc.record({
      curve: u32,
      point: fc.nat({ max: 19 }),
      points: fc.constant(20),
      shearRate: f32,
      shearStress: f32,
      temperature: f32,
      haematocrit: f32,
      control: fc.boolean(),
      clogged: fc.boolean(),
      clipped: fc.boolean(),
    }),
  }),
  fc.record({
    kind: fc.constant("self-test" as const),
    ...head,
    request: u32,
    index: fc.nat({ max: 255 }),
    count: fc.nat({ max: 255 }),
    shearStress: f32,
    temperature: f32,
    clogged: fc.boolean(),
    clipped: fc.boolean(),
  }),
);
const fromHost: fc.Arbitrary<FromHost> = fc.oneof(
  fc.record({ kind: fc.constant("who" as const), request: u32 }),
  fc.record({ kind: fc.constant("acknowledge" as const), upTo: position }),
  fc.record({ kind: fc.constant("replay" as const), request: u32, from: position, limit: u32 }),
  fc.record({ kind: fc.constant("time-request" as const), request: u32 }),
  fc.record({ kind: fc.constant("measure-request" as const), request: u32 }),
  fc.record({ kind: fc.constant("self-test-request" as const), request: u32, count: fc.nat({ max: 255 }) }),
);

function onlyFrame(line: Uint8Array): Frame {
  const frames: Frame[] = [];
  new FrameDecoder((decoded) => decoded.kind === "frame" && frames.push(decoded.frame)).push(line);
  expect(frames).toHaveLength(1);
  return frames[0] as Frame;
}

test("every message of an instrument comes back as it was", () => {
  fc.assert(
    fc.property(fromInstrument, (message) => {
      expect(readFromInstrument(onlyFrame(writeFromInstrument(message)))).toEqual(message);
    }),
  );
});

test("every message of a host comes back as it was", () => {
  fc.assert(
    fc.property(fromHost, (message) => {
      expect(readFromHost(onlyFrame(writeFromHost(message)))).toEqual(message);
    }),
  );
});

test("an echo of one's own frames is not obeyed", () => {
  fc.assert(
    fc.property(fromHost, fromInstrument, (host, instrument) => {
      expect(readFromInstrument(onlyFrame(writeFromHost(host))).kind).toBe("not-understood");
      expect(readFromHost(onlyFrame(writeFromInstrument(instrument))).kind).toBe("not-understood");
    }),
  );
});

test("any payload of any type is understood or refused, never thrown at", () => {
  const type = fc.oneof(fc.constantFrom(...Object.values(messageTypes)), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(type, fc.uint8Array({ maxLength: 100 }), (type, payload) => {
      const frame = { type, sequence: 1, boot: 1, deviceUs: 1, payload };
      for (const message of [readFromInstrument(frame), readFromHost(frame)])
        if (message.kind === "reading")
          expect(Number.isFinite(message.reading.shearRate + message.reading.shearStress)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("a longer payload than this version knows is read by its known part", () => {
  const known = onlyFrame(
    writeFromInstrument({
      kind: "replaying",
      boot: 1,
      deviceUs: 2,
      request: 3,
      first: { boot: 1, sequence: 4 },
      count: 5,
    }),
  );
  const longer = { ...known, payload: Uint8Array.from([...known.payload, 9, 9]) };
  expect(readFromInstrument(onlyFrame(encodeFrame(longer)))).toMatchObject({ kind: "replaying", count: 5 });
});
