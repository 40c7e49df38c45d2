import { encodeFrame, type Frame } from "./frame.ts";
import { cobs, type Framing } from "./framing.ts";
import {
  messageTypes,
  readingFlags,
  type FromHost,
  type FromInstrument,
  type Position,
  type Reading,
} from "./message.ts";

/** The message as bytes for the line. */
export function writeFromInstrument(message: FromInstrument, framing: Framing = cobs): Uint8Array {
  const encode = (frame: Frame) => encodeFrame(frame, framing);
  const { boot, deviceUs } = message;
  let line: Uint8Array;
  switch (message.kind) {
    case "hello": {
      const instrument = ascii(message.instrument, 64);
      const firmware = ascii(message.firmware, 64);
      const payload = new Uint8Array(23 + instrument.length + firmware.length);
      const view = new DataView(payload.buffer);
      view.setUint8(0, message.schema);
      view.setUint32(1, message.next, true);
      view.setUint32(5, message.kept, true);
      putPosition(view, 9, message.oldest);
      view.setUint32(17, message.overwritten, true);
      view.setUint8(21, instrument.length);
      payload.set(instrument, 22);
      view.setUint8(22 + instrument.length, firmware.length);
      payload.set(firmware, 23 + instrument.length);
      line = encode({ type: messageTypes.hello, sequence: message.request, boot, deviceUs, payload });
      break;
    }
    case "reading":
      line = encode({
        type: messageTypes.reading,
        sequence: message.sequence,
        boot,
        deviceUs,
        payload: readingPayload(message.reading),
      });
      break;
    case "measured":
      line = encode({
        type: messageTypes.measured,
        sequence: message.request,
        boot,
        deviceUs,
        payload: readingPayload(message.reading),
      });
      break;
    case "replaying": {
      const payload = new Uint8Array(12);
      const view = new DataView(payload.buffer);
      putPosition(view, 0, message.first);
      view.setUint32(8, message.count, true);
      line = encode({
        type: messageTypes.replaying,
        sequence: message.request,
        boot,
        deviceUs,
        payload,
      });
      break;
    }
    case "time": {
      const payload = new Uint8Array(12);
      const view = new DataView(payload.buffer);
      view.setUint32(0, message.receivedUs % 2 ** 32, true);
      view.setUint32(4, Math.floor(message.receivedUs / 2 ** 32), true);
      view.setUint32(8, message.next, true);
      line = encode({ type: messageTypes.time, sequence: message.request, boot, deviceUs, payload });
      break;
    }
    case "self-test": {
      const payload = new Uint8Array(12);
      const view = new DataView(payload.buffer);
      view.setUint8(0, message.index);
      view.setUint8(1, message.count);
      view.setFloat32(2, message.shearStress, true);
      view.setFloat32(6, message.temperature, true);
      view.setUint16(10, flagsOf(message), true);
      line = encode({ type: messageTypes.selfTest, sequence: message.request, boot, deviceUs, payload });
      break;
    }
  }
  return line;
}

export function writeFromHost(message: FromHost, framing: Framing = cobs): Uint8Array {
  const frame = (type: number, sequence: number, payload: Uint8Array) =>
    encodeFrame({ type, sequence, boot: 0, deviceUs: 0, payload }, framing);
  let line: Uint8Array;
  switch (message.kind) {
    case "who":
      line = frame(messageTypes.who, message.request, new Uint8Array(0));
      break;
    case "acknowledge": {
      const payload = new Uint8Array(8);
      putPosition(new DataView(payload.buffer), 0, message.upTo);
      line = frame(messageTypes.acknowledge, 0, payload);
      break;
    }
    case "replay": {
      const payload = new Uint8Array(12);
      const view = new DataView(payload.buffer);
      putPosition(view, 0, message.from);
      view.setUint32(8, message.limit, true);
      line = frame(messageTypes.replay, message.request, payload);
      break;
    }
    case "time-request":
      line = frame(messageTypes.timeRequest, message.request, new Uint8Array(0));
      break;
    case "self-test-request":
      line = frame(messageTypes.selfTestRequest, message.request, Uint8Array.of(message.count));
      break;
    case "measure-request":
      line = frame(messageTypes.measureRequest, message.request, new Uint8Array(0));
      break;
  }
  return line;
}

function readingPayload(reading: Reading): Uint8Array {
  const payload = new Uint8Array(24);
  const view = new DataView(payload.buffer);
  view.setUint32(0, reading.curve, true);
  view.setUint8(4, reading.point);
  view.setUint8(5, reading.points);
  view.setUint16(6, flagsOf(reading) | (reading.control ? readingFlags.control : 0), true);
  view.setFloat32(8, reading.shearRate, true);
  view.setFloat32(12, reading.shearStress, true);
  view.setFloat32(16, reading.temperature, true);
  view.setFloat32(20, reading.haematocrit, true);
  return payload;
}

function flagsOf({ clogged, clipped }: Pick<Reading, "clogged" | "clipped">): number {
  return (clogged ? readingFlags.clogged : 0) | (clipped ? readingFlags.clipped : 0);
}

function putPosition(view: DataView, at: number, position: Position): void {
  view.setUint32(at, position.boot, true);
  view.setUint32(at + 4, position.sequence, true);
}

function ascii(text: string, lengthMax: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > lengthMax)
    throw new RangeError(
      `Cannot announce "${text}": it has ${bytes.length} bytes, HELLO carries ${lengthMax}; shorten it.`,
    );
  return bytes;
}
