import { readFileSync } from "node:fs";
import { InstrumentId } from "@coalmine/contract";
import { expect, test } from "vitest";
import { Manifest } from "./manifest.ts";
import { ABSTAINED, Results } from "./postprocess.ts";
import type { Window } from "./window.ts";

const raw = JSON.parse(
  readFileSync(new URL("../../../models/blood-viscosity/manifest.json", import.meta.url), "utf8"),
);
const postprocessing = {
  version: 3,
  calibrate: { scale: 2, offset: 1 },
  threshold: { probabilityMin: 0.6 },
  hysteresis: { classes: ["hyperviscous", "hypoviscous"], enter: 0.8, leave: 0.3, windows: 2 },
};
const manifest = Manifest.parse({ ...raw, postprocessing });
const window = (to: number): Window => ({
  instrument: InstrumentId.parse("a"),
  boot: 1,
  from: to - 19,
  to,
  sampleTimeMs: 0,
  sampleTimeUncertaintyMs: 0,
  calibrationId: "c",
  quality: { level: "good" },
  input: new Float32Array(42),
});
const score = (normal: number) => {
  const probabilities = [normal, 1 - normal, 0, 0, 0];
  const probability = Math.max(...probabilities);
  return { value: 4, probabilities, classIndex: probabilities.indexOf(probability), probability };
};

test("calibrates, abstains below the threshold, and says by what it did so", () => {
  const points = new Results().of(window(19), score(0.55), manifest);
  expect(points.map(({ channel, value }) => [channel, value])).toEqual([
    ["blood-viscosity", 9],
    ["abnormality", ABSTAINED],
    ["abnormality-probability", 0.55],
    ["abnormality-alarm", 0],
  ]);
  expect(points[0]?.derivation).toEqual({
    modelSha256: manifest.sha256,
    modelComponent: "coalmine.model.BloodViscosity",
    modelVersion: manifest.version,
    preprocessingVersion: 1,
    postprocessingVersion: 3,
    inputFrom: 0,
    inputTo: 19,
  });
});

test("an alarm comes after two windows in turn beyond its limit and goes after two below the other, per instrument", () => {
  const results = new Results();
  const alarms = (instrument: string, normals: readonly number[]) =>
    normals.map(
      (normal, index) =>
        results
          .of(
            { ...window(20 * index + 19), instrument: InstrumentId.parse(instrument) },
            score(normal),
            manifest,
          )
          .find(({ channel }) => channel === "abnormality-alarm")?.value,
    );
  expect(alarms("a", [0.1, 0.5, 0.1, 0.1, 0.5, 0.8, 0.5, 0.8, 0.8])).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 0]);
  expect(alarms("b", [0.1])).toEqual([0]);
});

test("a manifest that contradicts itself is refused, and says where", () => {
  const told = (change: object): string[] =>
    Manifest.safeParse({ ...raw, ...change }).error?.issues.map(({ message }) => message) ?? [];
  expect(
    told({
      postprocessing: { ...postprocessing, hysteresis: { ...postprocessing.hysteresis, classes: ["ill"] } },
    }),
  ).toEqual([expect.stringContaining('hysteresis names the class "ill"')]);
  expect(
    told({ postprocessing: { ...postprocessing, hysteresis: { ...postprocessing.hysteresis, leave: 0.9 } } }),
  ).toEqual(["leave must be below enter"]);
  expect(told({ input: { name: "curve", width: 41 } })).toContain(
    "preprocessing gives 42 numbers a window, input.width is 41",
  );
});
