import { X509Certificate } from "node:crypto";
import { InstrumentId } from "@coalmine/contract";
import type { JournalEntries, PortResult } from "../journal.ts";
import { CommissionOptions } from "../options.ts";
import { canonicalJson, sha256 } from "./canonical-json.ts";
import { type Findings, makeReport } from "./make-report.ts";
import { sealOf } from "./seal.ts";
import { Visit } from "./visit.ts";

const startedMs = Date.UTC(2026, 10, 27, 20, 0, 0);
const minutes = (count: number): number => startedMs + count * 60_000;

export const port: PortResult = {
  port: "usb-FTDI_A1",
  found: true,
  passed: true,
  protocol: "cobs",
  instrument: InstrumentId.parse("rheo-1"),
  firmware: "2.4.1",
  boot: 3,
  steadiness: {
    stress: {
      unit: "Pa",
      readings: 20,
      mean: -0.0125,
      meanHalfWidth: 0.002,
      noise: 0.003125,
      driftPerMinute: 0.0075,
      driftHalfWidth: 0.01,
      limits: { noise: 0.01, offset: 0.05, driftPerMinute: 0.05 },
    },
  },
  temperature: 24.53,
  flags: {},
  complaints: [],
  sentence: "rheo-1 is well.",
};
export const options = CommissionOptions.parse({
  serial: "core-17",
  site: "ward-7",
  root: "/r",
  claimEndpoint: "https://claims.example",
  rootCaFile: "/c/AmazonRootCA1.pem",
  region: "eu-south-1",
  iotDataEndpoint: "iot.example",
  iotCredEndpoint: "credentials.example",
});
export const visit = Visit.parse({
  technician: "Łucía <Müller>",
  room: "Sala 12",
  asset: "A-0815",
  timeZone: "Europe/Rome",
  skipped: [{ step: "network", words: "La red aún no está «lista» </script>" }],
  deviations: ["Sensor mounted 20 cm lower than drawn."],
});

/** Of a device with this identity, who left out one step and departed from the drawing in one thing. */
export function madeReport(
  device: { readonly privateKeyPem: string; readonly certificatePem: string },
  changes: Partial<Findings> = {},
) {
  const certificateId = sha256(new X509Certificate(device.certificatePem).raw);
  const entries: JournalEntries = {
    version: 1,
    serial: "core-17",
    site: "ward-7",
    startedMs,
    clock: { at: minutes(1), aheadMs: -1250 },
    certificate: { at: minutes(2), certificateId },
    thing: { at: minutes(2), thingName: "core-17" },
    proven: { at: minutes(3) },
    claimErased: { at: minutes(3) },
    selfTest: { at: minutes(4), ports: [port] },
    configured: { at: minutes(5) },
  };
  const report = makeReport({
    options,
    entries,
    visit,
    calibration: {
      atMs: minutes(4.5),
      records: [
        {
          instrument: "rheo-1",
          calibration: "cal-9",
          reference: "N35",
          referenceCertificate: "DKD-4711",
          unit: "mPa.s",
          points: [{ nominal: 35, measured: 35.7 }],
          relativeLimit: 0.03,
          repeatability: 0.004,
          passed: true,
        },
      ],
    },
    versions: { node: "24.21.0" },
    nowMs: minutes(6),
    ...changes,
  });
  return { report, seal: sealOf(canonicalJson(report), device) };
}
