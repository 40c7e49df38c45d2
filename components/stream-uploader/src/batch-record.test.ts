import type { Measurement } from "@coalmine/contract";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodePoints, encodePoints } from "./batch-record.ts";
import { curve } from "./device.fixture.ts";

const quality = fc.oneof(
  fc.constant({ level: "good" as const }),
  fc.record({
    level: fc.constantFrom("uncertain" as const, "bad" as const),
    cause: fc.constantFrom("stale" as const, "clipped" as const, "gap" as const),
  }),
);
const whole = fc.maxSafeNat();
const point = fc.record(
  {
    sequence: whole,
    channel: fc.constantFrom("shear-rate", "residual", "temperature"),
    sampleTimeMs: fc.double({ min: 0, max: 4e12, noNaN: true }),
    sampleTimeUncertaintyMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
    unit: fc.constantFrom("mPa.s", "Cel", "µ°"),
    quality,
    calibrationId: fc.constantFrom("", "cal-1"),
    derivation: fc.record({
      modelSha256: fc.constantFrom("aa".repeat(32), "bb".repeat(32)),
      preprocessingVersion: fc.nat(3),
      inputFrom: whole,
      inputTo: whole,
    }),
  },
  {
    requiredKeys: [
      "sequence",
      "channel",
      "sampleTimeMs",
      "sampleTimeUncertaintyMs",
      "value",
      "unit",
      "quality",
      "calibrationId",
    ],
  },
);

test("what is encoded is decoded, bit by bit", () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 500 }), whole, (loose, boot) => {
      const points = loose.map((one) => ({ ...one, instrument: "i-1", boot })) as Measurement[];
      // At an offset that does not fit the columns' alignment, as the log hands it out.
      const record = encodePoints(points);
      const shifted = new Uint8Array(record.length + 3);
      shifted.set(record, 3);
      const columns = decodePoints(shifted.subarray(3));
      const back = Array.from(columns.sequence, (sequence, at) => {
        const kind = columns.kinds[columns.kind[at] ?? 0];
        return {
          instrument: columns.instrument,
          boot: columns.boot,
          sequence,
          channel: kind?.channel,
          sampleTimeMs: columns.sampleTimeMs[at],
          sampleTimeUncertaintyMs: columns.sampleTimeUncertaintyMs[at],
          value: columns.value[at],
          unit: kind?.unit,
          quality:
            kind?.cause === null ? { level: kind.quality } : { level: kind?.quality, cause: kind?.cause },
          calibrationId: kind?.calibrationId,
          ...(kind?.modelSha256 === null
            ? {}
            : {
                derivation: {
                  modelSha256: kind?.modelSha256,
                  preprocessingVersion: kind?.preprocessingVersion,
                  inputFrom: columns.inputFrom?.[at],
                  inputTo: columns.inputTo?.[at],
                },
              }),
        };
      });
      expect(back).toEqual(points);
    }),
    { numRuns: 100 },
  );
}, 30_000);

test("a point of a large batch takes at most a fifth of its JSON", () => {
  const points = curve(1, 1, 500).filter(({ derivation }) => derivation === undefined);
  expect(encodePoints(points).length * 5).toBeLessThan(JSON.stringify(points).length);
});
