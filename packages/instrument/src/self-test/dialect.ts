import { exceptionNames, requestPdu, type ReadRequest } from "@coalmine/modbus";
import { findReply, RTU_BYTES_MAX, rtuFrame } from "@coalmine/modbus/rtu";
import { FrameDecoder } from "../frame-decoder.ts";
import { framings } from "../framing.ts";
import { readFromInstrument } from "../read-message.ts";
import { LineDecoder, type LineRefusal } from "../text-line.ts";
import { writeFromHost } from "../write-message.ts";

/** How a protocol is recognised, without knowing more of it. */
export interface Dialect {
  readonly name: "cobs" | "slip" | "modbus" | "text";
  /** What makes an instrument answer; none where it speaks by itself. */
  readonly question?: Uint8Array;
  /** Listens anew: told of bytes, it says who speaks, once that is beyond doubt. */
  listen(): (bytes: Uint8Array) => string | undefined;
}

/** The suite's own instruments: a CRC-32 holds, so what is taken for a frame is one. */
export function framedDialect(name: "cobs" | "slip"): Dialect {
  const framing = framings[name];
  return {
    name,
    question: writeFromHost({ kind: "who", request: 1 }, framing),
    listen: () => {
      let heard: string | undefined;
      const decoder = new FrameDecoder((decoded) => {
        if (decoded.kind !== "frame") return;
        const message = readFromInstrument(decoded.frame);
        if (message.kind === "not-understood") return;
        heard =
          message.kind === "hello"
            ? `${message.instrument}, an instrument of this suite (${name.toUpperCase()})`
            : (heard ?? `an instrument of this suite (${name.toUpperCase()})`);
      }, framing);
      return (bytes) => {
        decoder.push(bytes);
        return heard;
      };
    },
  };
}

/** A slave: the answer has the unit, the function, the length and the CRC-16 of what was asked, and is no echo of it. */
export function modbusDialect(
  request: ReadRequest = { unit: 1, function: 3, address: 0, count: 1 },
): Dialect {
  return {
    name: "modbus",
    question: rtuFrame(request.unit, requestPdu(request)),
    listen: () => {
      let held = new Uint8Array(0);
      return (bytes) => {
        const all = new Uint8Array(held.length + bytes.length);
        all.set(held);
        all.set(bytes, held.length);
        held = all.slice(-2 * RTU_BYTES_MAX);
        const reply = findReply(request, held);
        if (reply === undefined) return undefined;
        const how = reply.kind === "exception" ? ` (${exceptionNames[reply.code] ?? "an exception"})` : "";
        return `Modbus unit ${request.unit}${how}`;
      };
    },
  };
}

/** Lines without a checksum must be this long to count, and so many of them must come. */
const PLAIN_CHARACTERS_MIN = 6;
const PLAIN_LINES_MIN = 2;

/** A sender of lines: one with a right checksum, or some that are readable from end to end. */
export function textDialect(line: {
  readonly delimiter: string;
  readonly checksum: "none" | "nmea";
  readonly question?: Uint8Array;
}): Dialect {
  return {
    name: "text",
    ...(line.question === undefined ? {} : { question: line.question }),
    listen: () => {
      let plain = 0;
      let heard: string | undefined;
      const decoder = new LineDecoder(line, {
        line: (text) => {
          const readable = /^[\x20-\x7e]*$/.test(text) && text.length >= PLAIN_CHARACTERS_MIN;
          if (line.checksum === "nmea" || (readable && ++plain >= PLAIN_LINES_MIN))
            heard ??= `lines of text (${JSON.stringify(text.slice(0, 40))})`;
        },
        refused: (_why: LineRefusal) => undefined,
      });
      return (bytes) => {
        decoder.push(bytes);
        return heard;
      };
    },
  };
}

/** What may stand at the end of a cable that was meant for something else. */
export const knownDialects: readonly Dialect[] = [
  framedDialect("cobs"),
  framedDialect("slip"),
  modbusDialect(),
  textDialect({ delimiter: "\n", checksum: "nmea" }),
  textDialect({ delimiter: "\n", checksum: "none" }),
];
