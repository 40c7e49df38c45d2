import { calibrationLimits } from "@coalmine/instrument/guided-calibration/calibration-fit";
import type { CalibrationRecord as Accepted } from "@coalmine/instrument/guided-calibration/guided-calibration";
import type { CalibrationRecord } from "./report.ts";

/** What a report shows of a calibration: one that was measured has its reference; to undo one measures nothing. */
export function calibrationRecord({ instrument, curve, made }: Accepted): readonly CalibrationRecord[] {
  if (made.how !== "measured") return [];
  const { reference, budget } = made;
  return [
    {
      instrument,
      calibration: curve.id,
      reference: `${reference.name}, ${reference.lot}`,
      referenceCertificate: reference.certificate,
      unit: curve.outputUnit,
      points: [],
      relativeLimit: calibrationLimits.deviationShare,
      repeatability: budget.repeatability,
      passed: true,
    },
  ];
}
