import { expect, test } from "vitest";
import { Channel, channelRefusal, judge, missing } from "./channel.ts";

const channel = (given: object = {}) => Channel.parse({ channel: "pressure", unit: "kPa", ...given });
const curve = {
  kind: "table",
  id: "lab-7",
  inputUnit: "V",
  outputUnit: "kPa",
  validFrom: 0.5,
  validTo: 4.5,
  relativeUncertainty: 0,
  absoluteUncertainty: 0.1,
  rows: [
    [0.5, 0],
    [4.5, 400],
  ],
};

test("scale and offset, then the curve; the point names the curve it was made with", () => {
  expect(judge(channel({ scale: 0.1, offset: -5 }), 250, 0)).toEqual({
    value: 20,
    quality: { level: "good" },
    calibrationId: "instrument",
  });
  expect(judge(channel({ scale: 0.001, calibration: curve }), 2500, 0)).toEqual({
    value: 200,
    quality: { level: "good" },
    calibrationId: "lab-7",
  });
});

test("clipped is bad, outside the valid range is uncertain, no number is bad and keeps the last one", () => {
  const limits = channel({ clipsAbove: 65_535, validFrom: 0, validTo: 100 });
  expect(judge(limits, 65_535, 0).quality).toEqual({ level: "bad", cause: "clipped" });
  expect(judge(limits, 101, 0).quality).toEqual({ level: "uncertain", cause: "out-of-range" });
  expect(judge(limits, Number.NaN, 7)).toMatchObject({
    value: 7,
    quality: { level: "bad", cause: "instrument" },
  });
  expect(judge(channel({ calibration: curve }), 4.6, 0).quality).toEqual({
    level: "uncertain",
    cause: "out-of-range",
  });
  expect(missing(limits, 7, "stale")).toMatchObject({ value: 7, quality: { level: "bad", cause: "stale" } });
});

test("what cannot be is refused with its values and what is allowed", () => {
  expect(Channel.safeParse({ channel: "t", unit: "degC" }).error?.message).toContain("UCUM");
  expect(Channel.safeParse({ channel: "T", unit: "Cel" }).error?.message).toContain("a-z");
  expect(channelRefusal(channel({ calibration: { ...curve, outputUnit: "Pa" } }))).toContain('"Pa"');
  expect(channelRefusal(channel({ validFrom: 5, validTo: 5 }))).toContain("5");
  expect(channelRefusal(channel({ calibration: curve }))).toBeUndefined();
});
