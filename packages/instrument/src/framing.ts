import { cobsDecode, cobsEncode, cobsEncodedMax } from "./cobs.ts";
import { slipDecode, slipEncode, slipEncodedMax } from "./slip.ts";

/** How frames are told apart on a line: a byte that stands between them and never in them. */
export interface Framing {
  readonly delimiter: number;
  /** Writes `bytes` without the delimiter into `into` from `at` on; where it ended. */
  encode(bytes: Uint8Array, into: Uint8Array, at: number): number;
  /** Of `from[start, end)`, which has no delimiter, into `into`; how many bytes, or -1 where it cannot be. */
  decode(from: Uint8Array, start: number, end: number, into: Uint8Array): number;
  /** The most that so many bytes can become. */
  encodedMax(lengthBytes: number): number;
}

export const cobs: Framing = {
  delimiter: 0,
  encode: cobsEncode,
  decode: cobsDecode,
  encodedMax: cobsEncodedMax,
};
export const slip: Framing = {
  delimiter: 0xc0,
  encode: slipEncode,
  decode: slipDecode,
  encodedMax: slipEncodedMax,
};
/** By the name that a configuration has for it. */
export const framings = { cobs, slip } as const;
