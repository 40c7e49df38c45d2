import { stat } from "node:fs/promises";
import type { Clock, Links } from "@coalmine/ports";
import { checkClaim, keepRootCa } from "./claim-files.ts";
import { compareClock, refuseUnsetClock } from "./clock-gate.ts";
import { isThere, makeFolder, modes, writeDurably } from "./durable-files.ts";
import { makeIdentity } from "./identity.ts";
import type { IotConnector } from "./iot-connection.ts";
import { Journal } from "./journal.ts";
import { nucleusConfiguration } from "./nucleus-configuration.ts";
import type { CommissionOptions } from "./options.ts";
import { type Places, placesOf } from "./places.ts";
import { CommissioningRefused, diskRefusal } from "./refusal.ts";
import { readPapers, writePapers } from "./papers.ts";
import { makeReport } from "./report/make-report.ts";
import type { Report } from "./report/report.ts";
import { Visit } from "./report/visit.ts";
import { refuseUnhealthy, testInstruments } from "./wiring.ts";

export const steps = ["clock", "identity", "self-test", "configuration", "report"] as const;
export type Step = (typeof steps)[number];

export interface CommissionPorts {
  readonly clock: Clock;
  readonly links: Links;
  readonly iot: IotConnector;
  /** Told of each step before it begins. */
  readonly progress?: (step: Step) => void;
  /** Of what runs here, by name, for the report. */
  readonly versions?: Readonly<Record<string, string>>;
}

export interface Commissioned {
  readonly report: Report;
  readonly sha256: string;
  readonly reportFiles: readonly string[];
}

/**
 * Makes a core device of this machine. May be cut or refused at any point, and run again: it goes on where it was.
 * Rejects with a `CommissioningRefused` for what a person can mend.
 */
export async function commission(
  options: CommissionOptions,
  ports: CommissionPorts,
  visit: Visit = Visit.parse({}),
): Promise<Commissioned> {
  try {
    return await run(options, ports, visit);
  } catch (failure) {
    throw diskRefusal(failure, options.root);
  }
}

async function run(
  options: CommissionOptions,
  { clock, links, iot, progress, versions = {} }: CommissionPorts,
  visit: Visit,
): Promise<Commissioned> {
  const places = placesOf(options);
  const { serial, site } = options;
  progress?.("clock");
  refuseUnsetClock(clock);
  await makeFolder(options.root);
  const journal = await Journal.open(places.journal, { serial, site, nowMs: clock.now() });
  await refuseOpenKey(places);
  const done = await readPapers(places, journal.entries.reported?.sha256);
  if (done !== undefined) return done;
  if (journal.entries.proven === undefined) await checkClaim(places, clock);
  await keepRootCa(places);
  const aheadMs = await compareClock(
    { ...pairFor(journal, places), endpoint: options.iotCredEndpoint, rootCaFile: places.rootCa },
    clock,
  );
  await journal.done({ clock: { at: clock.now(), aheadMs } });

  progress?.("identity");
  await makeIdentity({ options, places, journal, clock, iot });

  if (journal.entries.selfTest === undefined) {
    progress?.("self-test");
    const tested = await testInstruments(links, options, clock);
    refuseUnhealthy(tested);
    await journal.done({ selfTest: { at: clock.now(), ports: [...tested] } });
  }

  if (journal.entries.configured === undefined) {
    progress?.("configuration");
    const thingName = journal.entries.thing?.thingName ?? serial;
    await writeDurably(
      places.configuration,
      nucleusConfiguration(options, places, thingName),
      modes.configuration,
    );
    await journal.done({ configured: { at: clock.now() } });
  }

  progress?.("report");
  const report = makeReport({ options, entries: journal.entries, visit, versions, nowMs: clock.now() });
  const papers = await writePapers(places, report, visit);
  await journal.done({ reported: { at: clock.now(), sha256: papers.sha256 } });
  return papers;
}

/** The claim's certificate until the device has connected with its own: the server wants one to talk at all. */
function pairFor(
  { entries }: Journal,
  places: Places,
): { readonly certificateFile: string; readonly privateKeyFile: string } {
  return entries.proven === undefined
    ? { certificateFile: places.claim.certificate, privateKeyFile: places.claim.privateKey }
    : { certificateFile: places.certificate, privateKeyFile: places.privateKey };
}

async function refuseOpenKey({ privateKey }: Places): Promise<void> {
  if (!(await isThere(privateKey))) return;
  const mode = (await stat(privateKey)).mode & 0o777;
  if (mode !== modes.privateKey)
    throw new CommissioningRefused(
      "file-modes",
      `${privateKey} has the mode ${mode.toString(8)}, it needs 600: others could have read it; \`chmod 600\` it if nobody else works on this machine, or commission the device anew`,
    );
}
