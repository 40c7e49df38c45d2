import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as z from "zod";
import { classify, defaultSettings } from "./classify.ts";
import { percentile, withoutOutliers } from "./clean-up.ts";
import { cohensD, commonLanguage } from "./effect-size.ts";
import { score } from "./score.ts";
import { rankDifference, shiftInterval } from "./shift-interval.ts";

const Numbers = z.array(z.number());
const Sizes = z.tuple([z.number(), z.number()]).default([1, 1]);
const Class = z.enum(["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]);
const sides = { id: z.string(), x: Numbers, y: Numbers };
const Vectors = z.object({
  intervals: z.array(
    z.object({
      ...sides,
      confidence: z.number(),
      low: z.number().optional(),
      high: z.number().optional(),
      estimate: z.number().optional(),
      within: z.number(),
    }),
  ),
  ranks: z.array(
    z.object({ id: z.string(), intervalOf: z.string(), atLeast: z.number(), atMost: z.number() }),
  ),
  classes: z.array(
    z.object({
      ...sides,
      judge: z.object({ tolerance: z.number(), confidence: z.number() }).default({
        tolerance: 0.1,
        confidence: 0.95,
      }),
      nan: z.enum(["remove", "replaceByZero"]).default("remove"),
      critical: z.boolean().default(false),
      allowedSizes: Sizes,
      criticalSizes: Sizes,
      class: Class,
      isCritical: z.boolean(),
      effect: z.number().nullable().optional(),
    }),
  ),
  percentiles: z.array(z.object({ id: z.string(), of: Numbers, percent: z.number(), is: z.number() })),
  outliers: z.array(z.object({ id: z.string(), of: Numbers, factor: z.number(), kept: Numbers })),
  commonLanguage: z.array(z.object({ ...sides, is: z.number() })),
  cohensD: z.array(z.object({ ...sides, is: z.number() })),
  scores: z.array(
    z.object({
      id: z.string(),
      groups: z.record(z.string(), z.array(Class)),
      weights: z.record(z.string(), z.number()).default({}),
      critical: z.array(Class).default([]),
      total: z.number(),
    }),
  ),
});
const vectors = Vectors.parse(JSON.parse(readFileSync(new URL("./vectors.json", import.meta.url), "utf8")));

test.each(vectors.intervals)("the interval of $id [judge-7.2]", ({ x, y, confidence, within, ...told }) => {
  const interval = shiftInterval(x, y, confidence);
  for (const end of ["low", "high", "estimate"] as const)
    if (told[end] !== undefined) expect(Math.abs(interval[end] - told[end]), end).toBeLessThanOrEqual(within);
});

test.each(vectors.ranks)("the rank differences of $id at both ends [judge-7.2]", (told) => {
  const { x, y } = vectors.intervals.find(({ id }) => id === told.intervalOf) ?? { x: [], y: [] };
  const sorted = [x, y].map((side) => Float64Array.from(side).sort());
  const [a, b] = sorted;
  if (a === undefined || b === undefined) throw new Error("no such vector");
  const z = 1.9599639845400536;
  expect(rankDifference(a, b, Math.min(...x) - Math.max(...y)) - z).toBeCloseTo(told.atLeast, 9);
  expect(rankDifference(a, b, Math.max(...x) - Math.min(...y)) - z).toBeCloseTo(told.atMost, 9);
});

test.each(vectors.classes)("the class of $id [judge-7.2]", (told) => {
  const classified = classify(
    told.x,
    told.y,
    {
      ...defaultSettings,
      critical: told.critical,
      nan: told.nan,
      effect: {
        measure: "meanRatio",
        allowedDecrease: told.allowedSizes[0],
        allowedIncrease: told.allowedSizes[1],
        criticalDecrease: told.criticalSizes[0],
        criticalIncrease: told.criticalSizes[1],
      },
    },
    told.judge,
  );
  expect(classified).toMatchObject({ class: told.class, critical: told.isCritical });
  if (told.effect === null) expect(classified.effect).toBeNaN();
  else if (told.effect !== undefined) expect(classified.effect).toBeCloseTo(told.effect, 5);
});

test.each(vectors.percentiles)("the percentile $percent of $id [judge-7.2]", ({ of, percent, is }) => {
  expect(percentile(of, percent)).toBeCloseTo(is, 9);
});

test.each(vectors.outliers)("what is left of $id [judge-7.2]", ({ of, factor, kept }) => {
  expect(withoutOutliers(of, factor, false)).toEqual(kept);
});

test.each(vectors.commonLanguage)("the common-language effect of $id [judge-7.2]", ({ x, y, is }) => {
  expect(commonLanguage(x, y)).toBe(is);
});

test.each(vectors.cohensD)("Cohen's d of $id [judge-7.2]", ({ x, y, is }) => {
  expect(Math.abs(cohensD(x, y) - is)).toBeLessThanOrEqual(1e-5);
});

test.each(vectors.scores)("the score of $id [judge-7.2]", ({ groups, weights, critical, total }) => {
  const metrics = Object.entries(groups).flatMap(([group, classes]) =>
    classes.map((one) => ({ group, class: one, critical: critical.includes(one), muted: false })),
  );
  expect(score(metrics, { weights, pass: 95, marginal: 75 }).total).toBe(total);
});
