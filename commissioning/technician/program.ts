import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ReferenceFluid } from "@coalmine/instrument/guided-calibration/reference-fluid";
import type { Network, Probes, Proxy } from "@coalmine/site";
import type { CommissioningPorts } from "../commissioning.ts";
import { durableFiles } from "../durable-files.ts";
import { EapFiles } from "../eap/eap-files.ts";
import { AnswerBook } from "../flow/answers.ts";
import { Flow } from "../flow/flow.ts";
import type { Language } from "../language.ts";
import { placesOf } from "../places.ts";
import { keepProxy, readProxy } from "../proxy-file.ts";
import { CalibrationStep } from "../steps/calibration-step.ts";
import { ChecksStep } from "../steps/checks-step.ts";
import { ClockStep, type SetClock } from "../steps/clock-step.ts";
import { Device, type FactorySettings } from "../steps/device.ts";
import { IdentityStep } from "../steps/identity-step.ts";
import { LabelStep } from "../steps/label-step.ts";
import { NetworkStep } from "../steps/network-step.ts";
import { ReportStep } from "../steps/report-step.ts";
import { SelfTestStep } from "../steps/self-test-step.ts";
import { SiteStep } from "../steps/site-step.ts";
import type { ClockBattery } from "./clock-battery.ts";

export interface ProgramParts {
  readonly settings: FactorySettings;
  readonly ports: CommissioningPorts;
  readonly network: Network;
  readonly probes: (proxy: Proxy | undefined) => Probes;
  readonly setClock: SetClock;
  readonly battery: () => Promise<ClockBattery>;
  readonly fluids: readonly ReferenceFluid[];
  readonly consoleUrl?: string | undefined;
  readonly timeServers?: readonly string[];
}

/** The technician's program on one device: its way, and the files that the way offers. */
export interface Program {
  readonly flow: Flow;
  readonly device: Device;
  readonly book: AnswerBook;
  readonly language: () => Language;
  readonly offered: (
    name: string,
  ) => Promise<{ readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined>;
}

/** Goes on where it was, whatever became of the program that ran before. */
export async function openProgram(parts: ProgramParts): Promise<Program> {
  const { settings, ports, network, probes, setClock, battery, fluids, consoleUrl, timeServers } = parts;
  const { clock, links } = ports;
  const now = (): number => clock.now();
  const book = await AnswerBook.open(join(settings.root, "commissioning", "answers.json"), ports.files);
  const device = new Device({ settings, book, ports, consoleUrl });
  if (book.answers.place !== undefined) await device.commissioning();
  const language = (): Language => book.answers.language ?? "en";
  const trust = (): Promise<string> => readFile(settings.rootCaFile, "utf8");
  const places = placesOf(settings);
  const { files: disk = durableFiles } = ports;
  const eapFiles = new EapFiles(places.eap, disk);
  const proxies = {
    find: () => readProxy(places.proxy),
    keep: (proxy: Proxy | undefined) => keepProxy(places.proxy, proxy, disk),
  };
  const flow = new Flow(
    [
      new SiteStep(book, settings.serial),
      await ClockStep.open({ book, clock, setClock, battery }),
      await NetworkStep.open({ book, network, eapFiles, proxies, now }),
      new ChecksStep({
        book,
        device,
        network,
        probes,
        findProxy: proxies.find,
        trust,
        now,
        ...(timeServers === undefined ? {} : { timeServers }),
      }),
      new SelfTestStep(book, device),
      new CalibrationStep({ book, device, links, clock, fluids }),
      new IdentityStep(book, device),
      new LabelStep(book, device, now),
      new ReportStep(book, device, now),
    ],
    language,
  );
  const files: Readonly<Record<string, readonly [path: string, type: string]>> = {
    "label.pdf": [places.label.pdf, "application/pdf"],
    "label.png": [places.label.png, "image/png"],
    "label-203.zpl": [places.label.zpl203, "text/plain"],
    "label-300.zpl": [places.label.zpl300, "text/plain"],
    "report.pdf": [places.reportPdf, "application/pdf"],
    "report.html": [places.reportHtml, "text/html"],
    "report.json": [places.reportJson, "application/json"],
  };
  return {
    flow,
    device,
    book,
    language,
    offered: async (name) => {
      const [path, type] = Object.entries(files).find(([offered]) => offered === name)?.[1] ?? [];
      if (path === undefined || type === undefined) return undefined;
      return { type, bytes: new Uint8Array(await readFile(path)) };
    },
  };
}
