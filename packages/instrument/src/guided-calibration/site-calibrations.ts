import * as z from "zod";
import { CalibrationRecord } from "./guided-calibration.ts";

/** In sensor-reader's work folder: calibrations that a technician made before the components were there. */
export const SITE_CALIBRATIONS_FILE = "site-calibrations.json";

export const SiteCalibrations = z.object({
  version: z.literal(1),
  /** The newest last. */
  records: z.array(CalibrationRecord).max(100),
});
export type SiteCalibrations = z.infer<typeof SiteCalibrations>;
