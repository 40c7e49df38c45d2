import { InstrumentId } from "@coalmine/contract";
import type { Frame } from "./frame.ts";
import {
  messageTypes,
  readingFlags,
  type FromHost,
  type FromInstrument,
  type Position,
  type Reading,
} from "./message.ts";

/** A frame whose checksum holds but which says nothing this version understands. */
export interface NotUnderstood {
  readonly kind: "not-understood";
  readonly type: number;
  readonly why: string;
}

/** The door for what an instrument says. Longer payloads than known are read by their known part: fields are only added. */
export function readFromInstrument(frame: Frame): FromInstrument | NotUnderstood {
  const { type, sequence, boot, deviceUs, payload } = frame;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const short = (bytes: number) => (payload.length < bytes ? tooShort(frame, bytes) : undefined);
  switch (type) {
    case messageTypes.hello:
      return short(23) ?? readHello(frame, view);
    case messageTypes.reading:
    case messageTypes.measured:
      return short(24) ?? readReading(frame, view);
    case messageTypes.replaying:
      return (
        short(12) ?? {
          kind: "replaying",
          boot,
          deviceUs,
          request: sequence,
          first: positionAt(view, 0),
          count: view.getUint32(8, true),
        }
      );
    case messageTypes.time:
      return (
        short(12) ?? {
          kind: "time",
          boot,
          deviceUs,
          request: sequence,
          receivedUs: view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true),
          next: view.getUint32(8, true),
        }
      );
    case messageTypes.selfTest:
      return short(10) ?? readSelfTest(frame, view);
    default:
      return { kind: "not-understood", type, why: `type ${type} is not one an instrument sends` };
  }
}

/** The door for what a host says. */
export function readFromHost(frame: Frame): FromHost | NotUnderstood {
  const { type, sequence: request, payload } = frame;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const short = (bytes: number) => (payload.length < bytes ? tooShort(frame, bytes) : undefined);
  switch (type) {
    case messageTypes.who:
      return { kind: "who", request };
    case messageTypes.acknowledge:
      return short(8) ?? { kind: "acknowledge", upTo: positionAt(view, 0) };
    case messageTypes.replay:
      return (
        short(12) ?? { kind: "replay", request, from: positionAt(view, 0), limit: view.getUint32(8, true) }
      );
    case messageTypes.timeRequest:
      return { kind: "time-request", request };
    case messageTypes.selfTestRequest:
      return short(1) ?? { kind: "self-test-request", request, count: view.getUint8(0) };
    case messageTypes.measureRequest:
      return { kind: "measure-request", request };
    default:
      return { kind: "not-understood", type, why: `type ${type} is not one a host sends` };
  }
}

function readHello(frame: Frame, view: DataView): FromInstrument | NotUnderstood {
  const { payload } = frame;
  const idEnd = 22 + view.getUint8(21);
  if (idEnd >= payload.length) return tooShort(frame, idEnd + 1);
  const firmwareEnd = idEnd + 1 + view.getUint8(idEnd);
  if (firmwareEnd > payload.length) return tooShort(frame, firmwareEnd);
  const text = new TextDecoder();
  const instrument = InstrumentId.safeParse(text.decode(payload.subarray(22, idEnd)));
  if (!instrument.success)
    return {
      kind: "not-understood",
      type: frame.type,
      why: "the instrument's id is not 1 to 64 of [a-zA-Z0-9_-]",
    };
  return {
    kind: "hello",
    boot: frame.boot,
    deviceUs: frame.deviceUs,
    request: frame.sequence,
    instrument: instrument.data,
    firmware: text.decode(payload.subarray(idEnd + 1, firmwareEnd)),
    schema: view.getUint8(0),
    next: view.getUint32(1, true),
    kept: view.getUint32(5, true),
    oldest: positionAt(view, 9),
    overwritten: view.getUint32(17, true),
  };
}

function readSelfTest(frame: Frame, view: DataView): FromInstrument | NotUnderstood {
  const { type, boot, deviceUs, sequence, payload } = frame;
  const shearStress = view.getFloat32(2, true);
  const temperature = view.getFloat32(6, true);
  if (!Number.isFinite(shearStress + temperature))
    return { kind: "not-understood", type, why: "a self-test's value is not finite" };
  // Instruments of before the flags send none.
  const flags = payload.length < 12 ? 0 : view.getUint16(10, true);
  return {
    kind: "self-test",
    boot,
    deviceUs,
    request: sequence,
    index: view.getUint8(0),
    count: view.getUint8(1),
    shearStress,
    temperature,
    clogged: (flags & readingFlags.clogged) !== 0,
    clipped: (flags & readingFlags.clipped) !== 0,
  };
}

function readReading(frame: Frame, view: DataView): FromInstrument | NotUnderstood {
  const flags = view.getUint16(6, true);
  const point = view.getUint8(4);
  const points = view.getUint8(5);
  const shearRate = view.getFloat32(8, true);
  const shearStress = view.getFloat32(12, true);
  const temperature = view.getFloat32(16, true);
  const haematocrit = view.getFloat32(20, true);
  // A sum is finite exactly when every part is: JSON has no word for what is not.
  if (point >= points || !Number.isFinite(shearRate + shearStress + temperature + haematocrit))
    return {
      kind: "not-understood",
      type: frame.type,
      why: `reading ${frame.boot}:${frame.sequence} has point ${point} of ${points} or a value that is not finite`,
    };
  const { boot, deviceUs, sequence } = frame;
  const reading: Reading = {
    curve: view.getUint32(0, true),
    point,
    points,
    shearRate,
    shearStress,
    temperature,
    haematocrit,
    control: (flags & readingFlags.control) !== 0,
    clogged: (flags & readingFlags.clogged) !== 0,
    clipped: (flags & readingFlags.clipped) !== 0,
  };
  return frame.type === messageTypes.measured
    ? { kind: "measured", boot, deviceUs, request: sequence, reading }
    : { kind: "reading", boot, deviceUs, sequence, reading };
}

function positionAt(view: DataView, at: number): Position {
  return { boot: view.getUint32(at, true), sequence: view.getUint32(at + 4, true) };
}

function tooShort(frame: Frame, bytes: number): NotUnderstood {
  return {
    kind: "not-understood",
    type: frame.type,
    why: `type ${frame.type} has ${frame.payload.length} payload bytes, it needs ${bytes}`,
  };
}
