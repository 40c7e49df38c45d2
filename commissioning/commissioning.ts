import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ClaimCode } from "@coalmine/contract/claim-code";
import type { CalibrationRecord } from "@coalmine/instrument/guided-calibration/guided-calibration";
import type { SiteCalibrations } from "@coalmine/instrument/guided-calibration/site-calibrations";
import type { Clock, Links } from "@coalmine/ports";
import type { Proxy } from "@coalmine/site";
import type { RunProgram } from "@coalmine/site/program";
import { systemProgram } from "@coalmine/site/system-program";
import { writeClaimCode } from "./claim-code-file.ts";
import { compareClock } from "./clock-gate.ts";
import type { CodeExchange } from "./code-exchange.ts";
import { type DurableFiles, durableFiles, makeFolder, modes } from "./durable-files.ts";
import { refuseWrongModes } from "./file-modes.ts";
import { makeIdentity } from "./identity.ts";
import type { IotConnector } from "./iot-connection.ts";
import { Journal, type PortResult } from "./journal.ts";
import { nucleusConfiguration } from "./nucleus-configuration.ts";
import type { CommissionOptions } from "./options.ts";
import { installNucleus } from "./nucleus/install-nucleus.ts";
import { type Papers, readPapers, writePapers } from "./papers.ts";
import { type Places, placesOf } from "./places.ts";
import { readProxy } from "./proxy-file.ts";
import { type Findings, makeReport } from "./report/make-report.ts";
import type { Visit } from "./report/visit.ts";
import { keepRootCa } from "./root-ca.ts";
import { sendReport } from "./send-report.ts";
import { refuseUnhealthy, testInstruments } from "./wiring.ts";

export interface CommissioningPorts {
  readonly clock: Clock;
  readonly links: Links;
  readonly iot: IotConnector;
  readonly codes: CodeExchange;
  /** The machine's own, unless others are handed in. */
  readonly run?: RunProgram;
  /** The disk, unless another one is handed in. */
  readonly files?: DurableFiles;
  /** Of what runs here, by name, for the report. */
  readonly versions?: Readonly<Record<string, string>>;
}

/**
 * A device that is being commissioned: each part is on the disk when it is done, may be cut at any point, and is then done
 * again from where it was. Every part rejects with a `CommissioningRefused` for what a person can mend.
 */
export class Commissioning {
  readonly options: CommissionOptions;
  readonly places: Places;
  readonly journal: Journal;
  readonly #ports: CommissioningPorts & { readonly files: DurableFiles };

  private constructor(
    options: CommissionOptions,
    journal: Journal,
    ports: CommissioningPorts & { readonly files: DurableFiles },
  ) {
    this.options = options;
    this.places = placesOf(options);
    this.journal = journal;
    this.#ports = ports;
  }

  static async open(options: CommissionOptions, ports: CommissioningPorts): Promise<Commissioning> {
    const { files = durableFiles, clock } = ports;
    const { serial, site, root } = options;
    const places = placesOf(options);
    await makeFolder(root);
    const journal = await Journal.open(places.journal, { serial, site, nowMs: clock.now() }, files);
    await refuseWrongModes(places);
    return new Commissioning(options, journal, { ...ports, files });
  }

  /** Keeps a code for as long as the device needs it. */
  keepCode(code: ClaimCode): Promise<void> {
    return writeClaimCode(this.places.claimCode, code, this.#ports.files);
  }

  /** Compares the clock with the cloud's, and trades the code for an identity. */
  async identify(): Promise<void> {
    const { clock, files } = this.#ports;
    const { claimEndpoint, rootCaFile } = this.options;
    const rootCaPem = await keepRootCa(this.places, rootCaFile, files);
    const door = { endpoint: new URL(claimEndpoint).host, rootCaPem };
    const aheadMs = await compareClock(door, clock, await readProxy(this.places.proxy));
    await this.journal.done({ clock: { at: clock.now(), aheadMs } });
    await makeIdentity(this.#identity);
  }

  /** Tests every instrument, unless they were found well before. */
  async test(): Promise<readonly PortResult[]> {
    const { links, clock } = this.#ports;
    const before = this.journal.entries.selfTest;
    if (before !== undefined) return before.ports;
    const tested = await testInstruments(links, this.options, clock);
    refuseUnhealthy(tested);
    await this.journal.done({ selfTest: { at: clock.now(), ports: [...tested] } });
    return tested;
  }

  /** Writes what the core device starts with, and installs the nucleus where the settings name one. */
  async configure(): Promise<void> {
    const { clock, files } = this.#ports;
    const { entries } = this.journal;
    if (entries.configured !== undefined) return;
    const thingName = entries.thing?.thingName ?? this.options.serial;
    const proxy = await readProxy(this.places.proxy);
    const text = nucleusConfiguration(this.options, this.places, thingName, proxy);
    // The nucleus reads the proxy's password from here.
    const mode = proxy?.account === undefined ? modes.configuration : modes.privateKey;
    await files.write(this.places.configuration, text, mode);
    await this.#install(proxy);
    await this.journal.done({ configured: { at: clock.now() } });
  }

  async #install(proxy: Proxy | undefined): Promise<void> {
    const { clock, run = systemProgram } = this.#ports;
    const { nucleus, root, componentDefaultUser } = this.options;
    if (nucleus === undefined || this.journal.entries.nucleus !== undefined) return;
    const rootCaPem = await readFile(this.places.rootCa, "utf8");
    const means = { clock, run, proxy, rootCaPem };
    const version = await installNucleus({ root, componentDefaultUser, nucleus }, this.places, means);
    await this.journal.done({ nucleus: { at: clock.now(), version } });
  }

  /** Leaves what was calibrated for sensor-reader, which looks for it when it starts. */
  async leaveCalibrations(records: readonly CalibrationRecord[]): Promise<void> {
    if (records.length === 0) return;
    const path = this.places.siteCalibrations;
    // Components go through these folders as users of their own: the core device gives each its work folder.
    await mkdir(dirname(path), { recursive: true, mode: modes.workFolder });
    const text: SiteCalibrations = { version: 1, records: [...records] };
    await this.#ports.files.write(path, `${JSON.stringify(text, undefined, 2)}\n`, modes.calibrations);
  }

  /** What an earlier run left as its result. */
  papers(): Promise<Papers | undefined> {
    return readPapers(this.places, this.journal.entries.reported?.sha256);
  }

  /** Writes report and label; they are the last ones once the device has its identity. */
  async report(visit: Visit, found: Pick<Findings, "network" | "calibration"> = {}): Promise<Papers> {
    const { clock, files, versions = {} } = this.#ports;
    const { options, journal, places } = this;
    const report = makeReport({
      options,
      entries: journal.entries,
      visit,
      versions,
      nowMs: clock.now(),
      ...found,
    });
    const papers = await writePapers(places, report, visit, files);
    if (journal.entries.proven !== undefined)
      await journal.done({ reported: { at: clock.now(), sha256: papers.sha256 } });
    return papers;
  }

  /** Gives the operator's side the report, once. */
  async send(papers: Papers): Promise<void> {
    await sendReport(this.#identity, papers);
  }

  get #identity() {
    const { options, places, journal } = this;
    const { clock, iot, codes, files } = this.#ports;
    return { options, places, journal, clock, iot, codes, files };
  }
}
