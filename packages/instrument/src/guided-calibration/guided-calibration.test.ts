import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { glycerolWaterViscosity } from "../../../../simulator/instruments/control-fluid.ts";
import { Rheometer } from "../../../../simulator/instruments/rheometer.ts";
import { InstrumentId } from "@coalmine/contract";
import { calibrate } from "../calibration.ts";
import { factoryCalibration } from "../rheometer-type.ts";
import {
  beginCalibration,
  CalibrationRecord,
  type CalibrationState,
  nextCalibration,
  undoCalibration,
} from "./guided-calibration.ts";
import { ReferenceFluid } from "./reference-fluid.ts";

const nowMs = Date.UTC(2026, 5, 1);
const fluid = ReferenceFluid.parse({
  name: "G65",
  lot: "4711",
  certificate: "C-1",
  expiresMs: Date.UTC(2027, 0, 1),
  viscosity: [30, 32, 34, 36, 38, 40].map((at) => [at, glycerolWaterViscosity(0.65, at)]),
  expandedUncertainty: 0.004,
});
const instrument = InstrumentId.parse("rheo-1");
const given = { instrument, fluid, last: factoryCalibration, lastVersion: 0 };

/** Through all steps, with curves of a simulated rheometer. */
function calibrated(
  rheometer: Rheometer,
  of: Partial<typeof given> = {},
  warm = (_curve: number) => 0,
): CalibrationState {
  let state = beginCalibration({ ...given, ...of }, nowMs);
  for (const kind of ["done", "done"] as const) state = nextCalibration(state, { kind });
  for (let index = 0; state.step === "settle" || state.step === "measure"; index++) {
    const points = rheometer.curve("reference", nowMs + 2000 * index);
    const curve = points.map((point, at) => ({
      ...point,
      temperature: point.temperature + warm(index),
      curve: 0,
      point: at,
      points: points.length,
      control: false,
    }));
    state = nextCalibration(state, { kind: "curve", curve });
  }
  return state;
}
const rheometerOf = (seed: string) => new Rheometer({ random: new SeededRandom(seed), driftShare: 0 });

test("over 300 instruments the true stress lies within the stated uncertainty, twice it, in 95 of 100", () => {
  let within = 0;
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(`gain ${seed}`);
    const rheometer = rheometerOf(`calibrated ${seed}`);
    // A sensor whose gain is off by some percent, and a bottle and a thermometer off by what their certificates allow.
    rheometer.gainFault = 1 + 0.03 * (2 * random.next() - 1);
    const bottle = 1 + (fluid.expandedUncertainty / 2) * random.normal();
    const thermometer = 0.1 * random.normal();
    const wrong = {
      ...fluid,
      viscosity: fluid.viscosity.map(([at, value]): [number, number] => [at, value * bottle]),
    };
    const state = calibrated(rheometer, { fluid: wrong }, () => thermometer);
    if (state.step !== "decide") throw new Error(JSON.stringify(state));
    const written = nextCalibration(state, { kind: "accepted", by: "a technician", atMs: nowMs });
    if (written.step !== "written") throw new Error("it was accepted");
    const { curve } = CalibrationRecord.parse(written.record);
    // The sensor gives (stress − 0.002) / 1.04 · gain, see the factory's curve.
    const trueStress = 3;
    const { value, uncertainty } = calibrate(curve, ((trueStress - 0.002) / 1.04) * rheometer.gainFault);
    if (Math.abs(value - trueStress) <= 2 * uncertainty) within++;
  }
  console.info(`within twice the standard uncertainty: ${within} of 300`);
  expect(within / 300).toBeGreaterThan(0.92);
});

test("the record states reference, readings, budget and deviation, and its curve is one that sensor-reader uses", () => {
  const rheometer = rheometerOf("record");
  rheometer.gainFault = 1.02;
  const decided = calibrated(rheometer);
  const written = nextCalibration(decided, { kind: "accepted", by: "a technician", atMs: nowMs });
  expect(written).toMatchObject({
    step: "written",
    record: {
      version: 1,
      curve: { id: "rheo-1-1-2026-06-01", kind: "polynomial", inputUnit: "Pa" },
      made: { how: "measured", readings: 100, reference: { lot: "4711" }, budget: { reference: 0.002 } },
    },
  });
  if (written.step !== "written" || written.record.made.how !== "measured") throw new Error("written");
  const { budget, deviation } = written.record.made;
  expect(budget.combined).toBeCloseTo(
    Math.hypot(budget.reference, budget.temperature, budget.repeatability),
    12,
  );
  expect(deviation).toBeGreaterThan(0.01);
  expect(deviation).toBeLessThan(0.05);
});

test("an expired bottle, a wrong fluid, a thin one, a sensor far off, bubbles and a temperature that moves are refused, each with its reason", () => {
  const refused = (state: CalibrationState) => (state.step === "refused" ? state.because : state.step);
  expect(refused(beginCalibration({ ...given, fluid: { ...fluid, expiresMs: nowMs } }, nowMs))).toMatch(
    /lot 4711 of G65 expired on 2026-06-01: use another bottle/,
  );
  const wrong = rheometerOf("wrong");
  wrong.referenceGlycerolMassShare = 0.6;
  expect(refused(calibrated(wrong))).toMatch(/from the last curve \(factory-1\).*check fluid and lot/);
  const far = rheometerOf("far");
  far.gainFault = 1.08;
  expect(refused(calibrated(far))).toMatch(/lies \d.*from the last curve/);
  const thin = rheometerOf("thin");
  thin.referenceGlycerolMassShare = 0.4;
  const water = {
    ...fluid,
    viscosity: fluid.viscosity.map(([at]): [number, number] => [at, glycerolWaterViscosity(0.4, at)]),
  };
  expect(refused(calibrated(thin, { fluid: water }))).toMatch(/use a thicker reference fluid/);
  const bubbles = new Rheometer({ random: new SeededRandom("bubbles"), noiseShare: 0.15, driftShare: 0 });
  expect(refused(calibrated(bubbles))).toMatch(/scatters by|from the straight line/);
  expect(refused(calibrated(rheometerOf("moves"), {}, (curve) => (curve % 2) * 0.5))).toMatch(
    /the temperature still moves/,
  );
  expect(refused(calibrated(rheometerOf("cold"), {}, () => -10))).toMatch(
    /the fluid's table has 30 to 40 °C/,
  );
});

test("undone, the curve before is in force again as one more record; the first undoes to what was there before", () => {
  const of = (version: number, id: string): CalibrationRecord => ({
    version,
    instrument,
    atMs: nowMs,
    by: "a",
    curve: { ...factoryCalibration, id },
    made: { how: "undone", undone: "x" },
  });
  const by = { by: "b", atMs: nowMs + 1 };
  expect(undoCalibration([], factoryCalibration, by)).toBeUndefined();
  expect(undoCalibration([of(1, "one")], factoryCalibration, by)).toMatchObject({
    version: 2,
    curve: { id: "factory-1" },
    made: { how: "undone", undone: "one" },
  });
  expect(undoCalibration([of(1, "one"), of(2, "two")], factoryCalibration, by)).toMatchObject({
    version: 3,
    curve: { id: "one" },
  });
});
