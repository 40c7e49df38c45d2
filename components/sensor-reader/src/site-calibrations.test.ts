import { nodeCrypto } from "@coalmine/device/crypto";
import { factoryCalibration } from "@coalmine/instrument";
import { CalibrationRecord } from "@coalmine/instrument/guided-calibration/guided-calibration";
import { SITE_CALIBRATIONS_FILE } from "@coalmine/instrument/guided-calibration/site-calibrations";
import { silentLog } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { simulatedSite } from "../../../simulator/instruments/site.ts";
import { minutes, world } from "../test/world.ts";
import { CalibrationHistory } from "./calibration-history.ts";
import { takeOverSiteCalibrations } from "./site-calibrations.ts";

const madeMs = Date.UTC(2025, 0, 1);
const record = (version: number, atMs: number) =>
  CalibrationRecord.parse({
    version,
    instrument: "rheo-0",
    atMs,
    by: "ada",
    curve: { ...factoryCalibration, id: `rheo-0-${version}`, kind: "polynomial", coefficients: [0, 1.02] },
    made: { how: "undone", undone: "none" },
  });

async function site(text: string) {
  const w = world(simulatedSite({ instruments: 2 }), {});
  const leave = async (left: string) => {
    const file = await w.files.open(SITE_CALIBRATIONS_FILE, "create");
    const bytes = new TextEncoder().encode(left);
    await file.truncate(0);
    await file.write(0, bytes);
    await file.sync();
    await file.close();
  };
  await leave(text);
  for (const instrument of w.instruments) instrument.start();
  const calibrationsOf = (instrument: string): string[] => [
    ...new Set(
      w.uploader.batches
        .flatMap(({ points }) => points)
        .filter((point) => point.instrument === instrument && !point.channel.startsWith("control-"))
        .map(({ calibrationId }) => calibrationId),
    ),
  ];
  return { ...w, leave, calibrationsOf };
}
const left = (...records: CalibrationRecord[]) => JSON.stringify({ version: 1, records });

test("a calibration made on site before the reader was there is in force from its first reading on, for its instrument alone, once", async () => {
  const w = await site(left(record(1, madeMs)));
  let reader = await w.startReader();
  await w.run(minutes(10));
  expect(w.calibrationsOf("rheo-0")).toEqual(["rheo-0-1"]);
  expect(w.calibrationsOf("rheo-1")).toEqual([factoryCalibration.id]);
  reader.kill();
  reader = await w.startReader();
  await w.run(minutes(10));
  expect(w.calibrationsOf("rheo-0")).toEqual(["rheo-0-1"]);
  reader.kill();

  // The technician was there again.
  await w.leave(left(record(1, madeMs), record(2, madeMs + 1)));
  await w.startReader();
  await w.run(minutes(10));
  expect(w.calibrationsOf("rheo-0")).toEqual(["rheo-0-1", "rheo-0-2"]);
  expect(w.calibrationsOf("rheo-1")).toEqual([factoryCalibration.id]);
});

test("it is taken over once, and not at all by an instrument that was calibrated here since", async () => {
  const w = await site(left(record(1, madeMs), record(2, madeMs + 1)));
  const ports = { ...w, crypto: nodeCrypto, log: silentLog };
  const history = await CalibrationHistory.open(ports, factoryCalibration);
  await takeOverSiteCalibrations(history, ports);
  await takeOverSiteCalibrations(history, ports);
  expect(history.recordsOf(record(1, 0).instrument).map(({ version }) => version)).toEqual([1, 2]);
  await history.record(record(3, madeMs + 10));
  await w.leave(left(record(1, madeMs), record(2, madeMs + 9)));
  await takeOverSiteCalibrations(history, ports);
  expect(history.currentOf(record(1, 0).instrument).id).toBe("rheo-0-3");
  await history.close();
});

test.each([
  ["no JSON", "{"],
  ["another shape", '{"version":1,"records":[{"instrument":"rheo-0"}]}'],
  ["more than anybody writes", " ".repeat(2 * 1024 * 1024)],
])("a file of site calibrations that is %s is said, and measuring goes on", async (_name, text) => {
  const w = await site(text);
  await w.startReader();
  await w.run(minutes(10));
  expect(w.calibrationsOf("rheo-0")).toEqual([factoryCalibration.id]);
  expect(w.logged.some(({ message }) => message.startsWith(`${SITE_CALIBRATIONS_FILE} cannot be used`))).toBe(
    true,
  );
});
