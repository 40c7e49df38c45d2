import type { JournalEntries } from "../journal.ts";
import type { CommissionOptions } from "../options.ts";
import { instrumentRecord } from "./instrument-record.ts";
import {
  type CalibrationRecord,
  type NetworkCheck,
  Report,
  REPORT_VERSION,
  StepName,
  type StepRecord,
} from "./report.ts";
import type { Visit } from "./visit.ts";

export interface Findings {
  readonly options: CommissionOptions;
  readonly entries: JournalEntries;
  readonly visit: Visit;
  readonly network?: { readonly atMs: number; readonly checks: readonly NetworkCheck[] };
  readonly calibration?: { readonly atMs: number; readonly records: readonly CalibrationRecord[] };
  readonly versions: Readonly<Record<string, string>>;
  readonly nowMs: number;
}

export function makeReport(findings: Findings): Report {
  const { options, entries, visit, network, calibration, versions, nowMs } = findings;
  const { technician, room, asset, timeZone, deviations } = visit;
  const ports = (entries.selfTest?.ports ?? []).map(instrumentRecord);
  const calibrations = calibration?.records ?? [];
  return Report.parse({
    version: REPORT_VERSION,
    thing: entries.thing?.thingName ?? options.serial,
    site: options.site,
    room,
    asset,
    region: options.region,
    technician,
    startedAt: instant(entries.startedMs),
    finishedAt: instant(nowMs),
    timeZone,
    passed: ports.length > 0 && [...ports, ...calibrations].every(({ passed }) => passed),
    steps: StepName.options.map((step) => stepRecord(step, findings)),
    clockAheadMs: entries.clock?.aheadMs,
    network: network?.checks ?? [],
    ports,
    calibrations,
    certificateId: entries.certificate?.certificateId ?? "",
    claimErased: entries.claimErased !== undefined,
    versions: { ...versions, ...(entries.nucleus && { nucleus: entries.nucleus.version }) },
    deviations,
  });
}

/** Made up for by the device itself, once it is online. */
const needsNetwork: ReadonlySet<StepName> = new Set(["clock", "identity", "configuration"]);

function stepRecord(step: StepName, { entries, visit, network, calibration }: Findings): StepRecord {
  const doneMs = {
    clock: entries.clock?.at,
    network: network?.atMs,
    "self-test": entries.selfTest?.at,
    calibration: calibration?.atMs,
    identity: entries.proven?.at,
    configuration: entries.configured?.at,
  }[step];
  if (doneMs !== undefined) return { step, outcome: "done", at: instant(doneMs) };
  const skipped = visit.skipped.find((each) => each.step === step);
  if (skipped !== undefined) return { step, outcome: "left", because: "technician", words: skipped.words };
  const isWaiting = entries.proven === undefined && needsNetwork.has(step);
  return { step, outcome: "left", because: isWaiting ? "no-network" : "not-part-of-this-run" };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
