import type { Clock, Links } from "@coalmine/ports";
import { compareClock, refuseUnsetClock } from "./clock-gate.ts";
import type { CodeExchange } from "./code-exchange.ts";
import { type DurableFiles, durableFiles, makeFolder, modes, readIfThere } from "./durable-files.ts";
import { refuseWrongModes } from "./file-modes.ts";
import { makeIdentity } from "./identity.ts";
import type { IotConnector } from "./iot-connection.ts";
import { Journal } from "./journal.ts";
import { nucleusConfiguration } from "./nucleus-configuration.ts";
import type { CommissionOptions } from "./options.ts";
import { type Places, placesOf } from "./places.ts";
import { CommissioningRefused, diskRefusal } from "./refusal.ts";
import { makeReport, Report, reportJson, reportText, sha256 } from "./report.ts";
import { keepRootCa } from "./root-ca.ts";
import { sendReport } from "./send-report.ts";
import { refuseUnhealthy, testInstruments } from "./wiring.ts";

export const steps = ["clock", "identity", "self-test", "configuration", "report"] as const;
export type Step = (typeof steps)[number];

export interface CommissionPorts {
  readonly clock: Clock;
  readonly links: Links;
  readonly iot: IotConnector;
  readonly codes: CodeExchange;
  /** The disk, unless another one is handed in. */
  readonly files?: DurableFiles;
  /** Told of each step before it begins. */
  readonly progress?: (step: Step) => void;
}

export interface Commissioned {
  /** Without the network the device has no identity yet: a later run completes it. */
  readonly pending: boolean;
  readonly report: Report;
  readonly sha256: string;
  readonly reportFiles: readonly string[];
}

/**
 * Makes a core device of this machine. May be cut or refused at any point, and run again: it goes on where it was.
 * Rejects with a `CommissioningRefused` for what a person can mend.
 */
export async function commission(options: CommissionOptions, ports: CommissionPorts): Promise<Commissioned> {
  try {
    return await run(options, ports);
  } catch (failure) {
    throw diskRefusal(failure, options.root);
  }
}

async function run(
  options: CommissionOptions,
  { clock, links, iot, codes, files = durableFiles, progress }: CommissionPorts,
): Promise<Commissioned> {
  const places = placesOf(options);
  const { serial, site } = options;
  progress?.("clock");
  refuseUnsetClock(clock);
  await makeFolder(options.root);
  const journal = await Journal.open(places.journal, { serial, site, nowMs: clock.now() }, files);
  await refuseWrongModes(places);
  const done = await finished(places, journal);
  const identity = { options, places, journal, clock, iot, codes, files };
  if (done !== undefined) {
    await sendReport(identity, done);
    return done;
  }
  const rootCaPem = await keepRootCa(places, options.rootCaFile, files);
  const pending = await offline(options, async () => {
    const aheadMs = await compareClock({ endpoint: new URL(options.claimEndpoint).host, rootCaPem }, clock);
    await journal.done({ clock: { at: clock.now(), aheadMs } });
    progress?.("identity");
    await makeIdentity(identity);
  });

  if (journal.entries.selfTest === undefined) {
    progress?.("self-test");
    const tested = await testInstruments(links, options, clock);
    refuseUnhealthy(tested);
    await journal.done({ selfTest: { at: clock.now(), ports: [...tested] } });
  }

  if (journal.entries.configured === undefined && !pending) {
    progress?.("configuration");
    const thingName = journal.entries.thing?.thingName ?? serial;
    await files.write(
      places.configuration,
      nucleusConfiguration(options, places, thingName),
      modes.configuration,
    );
    await journal.done({ configured: { at: clock.now() } });
  }

  progress?.("report");
  const report = makeReport(options, journal.entries, clock.now());
  const json = reportJson(report);
  await files.write(places.reportJson, json, modes.report);
  await files.write(places.reportText, reportText(report, json), modes.report);
  const result = {
    pending,
    report,
    sha256: sha256(json),
    reportFiles: [places.reportJson, places.reportText],
  };
  if (pending) return result;
  await journal.done({ reported: { at: clock.now(), sha256: sha256(json) } });
  await sendReport(identity, result);
  return result;
}

/** Whether what needs the network has to wait, where that was asked for. */
async function offline({ finishOffline }: CommissionOptions, online: () => Promise<void>): Promise<boolean> {
  try {
    await online();
    return false;
  } catch (failure) {
    if (finishOffline && failure instanceof CommissioningRefused && failure.reason === "unreachable")
      return true;
    throw failure;
  }
}

/** What an earlier run left as its result. */
async function finished(places: Places, { entries }: Journal): Promise<Commissioned | undefined> {
  const json = await readIfThere(places.reportJson);
  if (entries.reported === undefined || json === undefined) return undefined;
  if (sha256(json) !== entries.reported.sha256)
    throw new CommissioningRefused(
      "settings",
      `${places.reportJson} is not the report that was written (SHA-256 ${sha256(json)}, the journal has ${entries.reported.sha256}); put the report back, or remove it and commission again`,
    );
  return {
    pending: false,
    report: Report.parse(JSON.parse(json)),
    sha256: entries.reported.sha256,
    reportFiles: [places.reportJson, places.reportText],
  };
}
