import type { InstrumentId } from "@coalmine/contract";

/** A place in everything an instrument ever measured: its start, and the reading's number since. */
export interface Position {
  readonly boot: number;
  readonly sequence: number;
}

/** Negative when `a` comes before `b`. */
export function comparePositions(a: Position, b: Position): number {
  return a.boot - b.boot || a.sequence - b.sequence;
}

/** One point of a flow curve, as the sensor gave it: not calibrated. */
export interface Reading {
  /** Counts flow curves since the instrument started. */
  readonly curve: number;
  /** 0 … points − 1. */
  readonly point: number;
  readonly points: number;
  /** At the wall, in 1/s. */
  readonly shearRate: number;
  /** At the wall, in Pa, before calibration. */
  readonly shearStress: number;
  /** In °C. */
  readonly temperature: number;
  /** In % by volume. */
  readonly haematocrit: number;
  /** Measured on the control fluid, not on a sample. */
  readonly control: boolean;
  /** The capillary lets less through than it should. */
  readonly clogged: boolean;
  /** A raw value lies at the end of the sensor's range. */
  readonly clipped: boolean;
}

/** What the instrument says. `boot` and `deviceUs` are the frame's. */
export type FromInstrument = { readonly boot: number; readonly deviceUs: number } & (
  | {
      readonly kind: "hello";
      readonly request: number;
      readonly instrument: InstrumentId;
      readonly firmware: string;
      /** Of the readings that follow. */
      readonly schema: number;
      /** The number the next reading will have. */
      readonly next: number;
      /** Readings kept because no host acknowledged them; `oldest` is the first of them. */
      readonly kept: number;
      readonly oldest: Position;
      /** Readings that had to give way to newer ones before any host acknowledged them, since the first start. */
      readonly overwritten: number;
    }
  | { readonly kind: "reading"; readonly sequence: number; readonly reading: Reading }
  /** Answers a replay: `count` readings follow, the first at `first`. `count` 0: there are none from there on. */
  | { readonly kind: "replaying"; readonly request: number; readonly first: Position; readonly count: number }
  /** Answers a time request; `deviceUs` of the frame is when the answer left. */
  | {
      readonly kind: "time";
      readonly request: number;
      readonly receivedUs: number;
      /** The number the next reading will have: shows a host that the last one was lost on the line. */
      readonly next: number;
    }
  /** One of the readings of a self-test, on the empty channel. */
  | {
      readonly kind: "self-test";
      readonly request: number;
      readonly index: number;
      readonly count: number;
      readonly shearStress: number;
      readonly temperature: number;
      readonly clogged: boolean;
      readonly clipped: boolean;
    }
  /** One point of a flow curve that a host asked for: it has no name, and no ring keeps it. */
  | { readonly kind: "measured"; readonly request: number; readonly reading: Reading }
);

/** What the host says. */
export type FromHost =
  | { readonly kind: "who"; readonly request: number }
  /** Every reading up to and including this one is safe; the instrument may forget them. */
  | { readonly kind: "acknowledge"; readonly upTo: Position }
  | { readonly kind: "replay"; readonly request: number; readonly from: Position; readonly limit: number }
  | { readonly kind: "time-request"; readonly request: number }
  | { readonly kind: "self-test-request"; readonly request: number; readonly count: number }
  /** Measure a flow curve of whatever is in the channel, now. */
  | { readonly kind: "measure-request"; readonly request: number };

/** Numbers on the wire. Below 0x40 from the instrument, from there on from the host, so an echo is never obeyed. */
export const messageTypes = {
  hello: 0x01,
  reading: 0x02,
  replaying: 0x03,
  time: 0x04,
  selfTest: 0x05,
  measured: 0x06,
  who: 0x40,
  acknowledge: 0x41,
  replay: 0x42,
  timeRequest: 0x43,
  selfTestRequest: 0x44,
  measureRequest: 0x45,
} as const;

/** Flags of a reading, as bits. */
export const readingFlags = { control: 1, clogged: 2, clipped: 4 } as const;
