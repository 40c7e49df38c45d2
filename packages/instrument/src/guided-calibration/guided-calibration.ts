import { InstrumentId } from "@coalmine/contract";
import * as z from "zod";
import { CalibrationCurve } from "../calibration.ts";
import type { Reading } from "../message.ts";
import { type Fit, fitCalibration, UncertaintyBudget } from "./calibration-fit.ts";
import { ReferenceFluid } from "./reference-fluid.ts";

/** Curves that are used, after those that the temperature took to settle. */
export const CALIBRATION_CURVES = 5;
/** Settled: the means of two curves in a row lie no further apart. */
const SETTLED_K = 0.1;
const SETTLING_CURVES_MAX = 60;

/** One calibration that is in force or was: nothing of it is ever changed, only more is appended. */
export const CalibrationRecord = z.object({
  version: z.int().positive(),
  instrument: InstrumentId,
  atMs: z.number(),
  /** Who accepted it. */
  by: z.string().min(1).max(128),
  curve: CalibrationCurve,
  made: z.discriminatedUnion("how", [
    z.object({
      how: z.literal("measured"),
      reference: ReferenceFluid,
      readings: z.int(),
      meanTemperature: z.number(),
      budget: UncertaintyBudget,
      /** From the curve before, as a share. */
      deviation: z.number(),
    }),
    /** The curve of an earlier version again, in place of the one of `undone`. */
    z.object({ how: z.literal("undone"), undone: z.string() }),
  ]),
});
export type CalibrationRecord = z.infer<typeof CalibrationRecord>;

interface Given {
  readonly instrument: InstrumentId;
  readonly fluid: ReferenceFluid;
  /** In force until now. */
  readonly last: CalibrationCurve;
  /** Of the record before, 0 where there is none. */
  readonly lastVersion: number;
}

/** Where a guided calibration stands, and what is to be done there. */
export type CalibrationState = Given &
  (
    | { readonly step: "flush" }
    | { readonly step: "fill" }
    /** Curves are measured until the temperature stands, then `CALIBRATION_CURVES` of them. */
    | { readonly step: "settle"; readonly seen: number; readonly lastMean: number | undefined }
    | { readonly step: "measure"; readonly curves: readonly (readonly Reading[])[] }
    | { readonly step: "decide"; readonly fit: Fit }
    | { readonly step: "refused"; readonly because: string }
    | { readonly step: "written"; readonly record: CalibrationRecord }
  );

export type CalibrationEvent =
  /** The technician has done what the step asks for. */
  | { readonly kind: "done" }
  | { readonly kind: "curve"; readonly curve: readonly Reading[] }
  | { readonly kind: "accepted"; readonly by: string; readonly atMs: number };

/** What a person, or the program, does at each step. */
export const calibrationTasks = {
  flush: "Flush the channel with water until it runs clear, then dry it.",
  fill: "Fill in the reference fluid without bubbles; compare name and lot with the bottle.",
  settle: "Wait: the fluid takes on the instrument's temperature.",
  measure: "Wait: the reference fluid is measured.",
  decide: "Compare what was found with the limits, then accept it or leave it.",
  refused: "Nothing was changed: the curve before stays in force.",
  written: "The new curve is in force from the next reading on.",
} as const satisfies Record<CalibrationState["step"], string>;

export function beginCalibration(given: Given, nowMs: number): CalibrationState {
  return nowMs >= given.fluid.expiresMs
    ? {
        ...given,
        step: "refused",
        because: `lot ${given.fluid.lot} of ${given.fluid.name} expired on ${new Date(given.fluid.expiresMs).toISOString().slice(0, 10)}: use another bottle`,
      }
    : { ...given, step: "flush" };
}

/** The next state; an event that the step does not wait for changes nothing. */
export function nextCalibration(state: CalibrationState, event: CalibrationEvent): CalibrationState {
  const { instrument, fluid, last, lastVersion } = state;
  const given = { instrument, fluid, last, lastVersion };
  switch (state.step) {
    case "flush":
      return event.kind === "done" ? { ...given, step: "fill" } : state;
    case "fill":
      return event.kind === "done" ? { ...given, step: "settle", seen: 0, lastMean: undefined } : state;
    case "settle": {
      if (event.kind !== "curve") return state;
      const mean =
        event.curve.reduce((sum, { temperature }) => sum + temperature, 0) / Math.max(1, event.curve.length);
      const seen = state.seen + 1;
      if (state.lastMean !== undefined && Math.abs(mean - state.lastMean) <= SETTLED_K)
        return { ...given, step: "measure", curves: [] };
      return seen < SETTLING_CURVES_MAX
        ? { ...given, step: "settle", seen, lastMean: mean }
        : {
            ...given,
            step: "refused",
            because: `the temperature still moves after ${SETTLING_CURVES_MAX} curves, it is ${mean.toFixed(1)} °C: check the heating`,
          };
    }
    case "measure": {
      if (event.kind !== "curve") return state;
      const curves = [...state.curves, event.curve];
      if (curves.length < CALIBRATION_CURVES) return { ...given, step: "measure", curves };
      const fit = fitCalibration(curves, fluid, last);
      return "refused" in fit
        ? { ...given, step: "refused", because: fit.refused }
        : { ...given, step: "decide", fit };
    }
    case "decide":
      return event.kind === "accepted"
        ? { ...given, step: "written", record: recordOf(given, state.fit, event) }
        : state;
    case "refused":
    case "written":
      break;
  }
  return state;
}

/** The curve before the last one again; undefined where there was none. Nothing is taken away: it is one more record. */
export function undoCalibration(
  records: readonly CalibrationRecord[],
  before: CalibrationCurve,
  { by, atMs }: { readonly by: string; readonly atMs: number },
): CalibrationRecord | undefined {
  const last = records.at(-1);
  return last === undefined
    ? undefined
    : {
        version: last.version + 1,
        instrument: last.instrument,
        atMs,
        by,
        curve: records.at(-2)?.curve ?? before,
        made: { how: "undone", undone: last.curve.id },
      };
}

function recordOf(
  { instrument, fluid, last, lastVersion }: Given,
  fit: Fit,
  { by, atMs }: { readonly by: string; readonly atMs: number },
): CalibrationRecord {
  const version = lastVersion + 1;
  return {
    version,
    instrument,
    atMs,
    by,
    curve: {
      kind: "polynomial",
      id: `${instrument.slice(0, 40)}-${version}-${new Date(atMs).toISOString().slice(0, 10)}`,
      inputUnit: last.inputUnit,
      outputUnit: last.outputUnit,
      validFrom: fit.validFrom,
      validTo: fit.validTo,
      relativeUncertainty: fit.budget.combined,
      absoluteUncertainty: Math.hypot(fit.budget.zeroPa, fit.budget.resolutionPa),
      coefficients: [...fit.coefficients],
    },
    made: {
      how: "measured",
      reference: fluid,
      readings: fit.readings,
      meanTemperature: fit.meanTemperature,
      budget: fit.budget,
      deviation: fit.deviation,
    },
  };
}
