import {
  SITE_CALIBRATIONS_FILE,
  SiteCalibrations,
} from "@coalmine/instrument/guided-calibration/site-calibrations";
import type { Ports } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { CalibrationHistory } from "./calibration-history.ts";

/** Of a hundred calibrations, and some. */
const SIZE_BYTES_MAX = 1024 * 1024;

/**
 * Takes over what was calibrated on site before this component was installed: from now on each is in force for its
 * instrument, unless that was calibrated here since. The file stays: what was taken over is known by its time.
 */
export async function takeOverSiteCalibrations(
  history: CalibrationHistory,
  { files, log }: Pick<Ports, "files" | "log">,
): Promise<void> {
  try {
    const text = await textOf(files);
    if (text === undefined) return;
    for (const record of SiteCalibrations.parse(JSON.parse(text)).records) {
      const last = history.recordsOf(record.instrument).at(-1);
      if (last !== undefined && last.atMs >= record.atMs) continue;
      await history.record(record);
      log.info("a calibration made on site is in force", {
        instrument: record.instrument,
        calibration: record.curve.id,
        by: record.by,
      });
    }
  } catch (failure) {
    log.error(
      `${SITE_CALIBRATIONS_FILE} cannot be used: instruments keep the configuration's curve; calibrate them again, or put the file of the commissioning back`,
      { reason: messageOf(failure) },
    );
  }
}

async function textOf(files: Ports["files"]): Promise<string | undefined> {
  if (!(await files.list("")).includes(SITE_CALIBRATIONS_FILE)) return undefined;
  const file = await files.open(SITE_CALIBRATIONS_FILE, "read");
  try {
    const sizeBytes = await file.size();
    if (sizeBytes > SIZE_BYTES_MAX) throw new Error(`it has ${sizeBytes} bytes, ${SIZE_BYTES_MAX} at most`);
    return new TextDecoder().decode(await file.read(0, sizeBytes));
  } finally {
    await file.close();
  }
}
