import type { Measurement } from "@coalmine/contract";

/**
 * Points of one instrument and boot as the log keeps them: about 27 bytes a point instead of the 250 of JSON.
 *
 * `version u8, 0 u8, points u16, head bytes u32, head JSON, padding to 8`, then columns: sequence, sample time, its
 * uncertainty and value as f64, kind as u16; where any point is computed, its input range as two f64.
 * A kind is what points share: channel, unit, quality, calibration, model.
 */
const VERSION = 1;
const PREFIX_BYTES = 8;

export interface Kind {
  readonly channel: string;
  readonly unit: string;
  readonly quality: string;
  readonly cause: string | null;
  readonly calibrationId: string;
  readonly modelSha256: string | null;
  readonly preprocessingVersion: number | null;
}
type KindTuple = [string, string, string, string | null, string, string | null, number | null];

/** A record read back: columns, to be used without an object a point. */
export interface PointColumns {
  readonly instrument: string;
  readonly boot: number;
  readonly kinds: readonly Kind[];
  readonly kind: Uint16Array;
  readonly sequence: Float64Array;
  readonly sampleTimeMs: Float64Array;
  readonly sampleTimeUncertaintyMs: Float64Array;
  readonly value: Float64Array;
  /** Undefined where no point of the record is computed. */
  readonly inputFrom: Float64Array | undefined;
  readonly inputTo: Float64Array | undefined;
}

export function encodePoints(points: readonly Measurement[]): Uint8Array {
  const [first] = points;
  const kinds: Measurement[] = [];
  const kind = new Uint16Array(points.length);
  let isComputed = false;
  let latest = 0;
  for (const [at, point] of points.entries()) {
    // Points alternate between a few kinds; the next one in turn is the likeliest.
    latest = (latest + 1) % Math.max(1, kinds.length);
    const candidate = kinds[latest];
    if (candidate === undefined || !isSameKind(candidate, point)) {
      const known = kinds.findIndex((other) => isSameKind(other, point));
      latest = known >= 0 ? known : kinds.push(point) - 1;
    }
    kind[at] = latest;
    if (point.derivation !== undefined) isComputed = true;
  }
  const head = new TextEncoder().encode(
    JSON.stringify([first?.instrument ?? "", first?.boot ?? 0, kinds.map(kindTuple)]),
  );
  const count = points.length;
  const headEnd = (PREFIX_BYTES + head.length + 7) & ~7;
  const columns = isComputed ? 6 : 4;
  const bytes = new Uint8Array(headEnd + count * (columns * 8 + 2));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, isComputed ? 1 : 0);
  view.setUint16(2, count, true);
  view.setUint32(4, head.length, true);
  bytes.set(head, PREFIX_BYTES);
  const numbers = new Float64Array(bytes.buffer, headEnd, count * columns);
  for (let at = 0; at < count; at++) {
    const point = points[at];
    if (point === undefined) continue;
    numbers[at] = point.sequence;
    numbers[count + at] = point.sampleTimeMs;
    numbers[2 * count + at] = point.sampleTimeUncertaintyMs;
    numbers[3 * count + at] = point.value;
    if (!isComputed) continue;
    numbers[4 * count + at] = point.derivation?.inputFrom ?? 0;
    numbers[5 * count + at] = point.derivation?.inputTo ?? 0;
  }
  new Uint16Array(bytes.buffer, headEnd + count * columns * 8, count).set(kind);
  return bytes;
}

/** How many points a record holds, and whether a model made any of them, without decoding it. */
export function glance(record: Uint8Array): { readonly points: number; readonly isComputed: boolean } {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return { points: view.getUint16(2, true), isComputed: view.getUint8(1) === 1 };
}

export function decodePoints(record: Uint8Array): PointColumns {
  // The columns want their own alignment, and the record must not keep a whole segment alive.
  const bytes = new Uint8Array(record);
  const view = new DataView(bytes.buffer);
  if (view.getUint8(0) !== VERSION)
    throw new Error(
      `a record of version ${view.getUint8(0)} was written by a newer stream-uploader: deploy that one`,
    );
  const isComputed = view.getUint8(1) === 1;
  const count = view.getUint16(2, true);
  const headBytes = view.getUint32(4, true);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- we wrote it ourselves, and its CRC fits
  const [instrument, boot, kinds] = JSON.parse(
    new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headBytes)),
  ) as [string, number, KindTuple[]];
  let position = (PREFIX_BYTES + headBytes + 7) & ~7;
  const column = (): Float64Array => {
    const numbers = new Float64Array(bytes.buffer, position, count);
    position += count * 8;
    return numbers;
  };
  return {
    instrument,
    boot,
    kinds: kinds.map(kindOf),
    sequence: column(),
    sampleTimeMs: column(),
    sampleTimeUncertaintyMs: column(),
    value: column(),
    inputFrom: isComputed ? column() : undefined,
    inputTo: isComputed ? column() : undefined,
    kind: new Uint16Array(bytes.buffer, position, count),
  };
}

function isSameKind(a: Measurement, b: Measurement): boolean {
  return (
    a.channel === b.channel &&
    a.unit === b.unit &&
    a.calibrationId === b.calibrationId &&
    a.quality.level === b.quality.level &&
    causeOf(a) === causeOf(b) &&
    a.derivation?.modelSha256 === b.derivation?.modelSha256 &&
    a.derivation?.preprocessingVersion === b.derivation?.preprocessingVersion
  );
}

function causeOf({ quality }: Measurement): string | null {
  return quality.level === "good" ? null : quality.cause;
}

function kindTuple(point: Measurement): KindTuple {
  const { channel, unit, quality, calibrationId, derivation } = point;
  return [
    channel,
    unit,
    quality.level,
    causeOf(point),
    calibrationId,
    derivation?.modelSha256 ?? null,
    derivation?.preprocessingVersion ?? null,
  ];
}

function kindOf(tuple: KindTuple): Kind {
  const [channel, unit, quality, cause, calibrationId, modelSha256, preprocessingVersion] = tuple;
  return { channel, unit, quality, cause, calibrationId, modelSha256, preprocessingVersion };
}
