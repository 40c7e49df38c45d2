import { shortCodeOf } from "../label/short-code.ts";
import { Numbers } from "./numbers.ts";
import type { CalibrationRecord, InstrumentRecord, Report, StepRecord } from "./report.ts";
import { type Seal, signerOf } from "./seal.ts";
import type { Language } from "../language.ts";
import { type Texts, texts } from "./texts/texts.ts";
import { canonicalJson } from "./canonical-json.ts";

/** What every form of a report shows, in one language; how it looks is each form's own. */
export interface ReportPage {
  readonly language: Language;
  readonly title: string;
  readonly subject: string;
  readonly passed: boolean;
  readonly result: string;
  readonly sections: readonly Section[];
  readonly hash: string;
  readonly texts: Texts;
}

interface Section {
  readonly heading: string;
  readonly facts?: readonly Fact[];
  readonly table?: Table;
  readonly paragraphs?: readonly string[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  /** For what is compared sign by sign. */
  readonly isCode?: boolean;
}

export interface Table {
  readonly columns: readonly string[];
  /** Shares of the width. */
  readonly widths: readonly number[];
  readonly rows: readonly (readonly string[])[];
}

export function reportPage(report: Report, seal: Seal, language: Language): ReportPage {
  const said = texts[language];
  const numbers = new Numbers(language, report.timeZone);
  const about = { report, said, numbers };
  return {
    language,
    title: said.title,
    subject: report.thing,
    passed: report.passed,
    result: report.passed ? said.passed : said.failed,
    sections: [
      device(about),
      steps(about),
      network(about),
      instruments(about),
      measured(about),
      calibration(about),
      identity(about),
      {
        heading: said.sections.deviations,
        paragraphs: report.deviations.length === 0 ? [said.none] : report.deviations,
      },
      {
        heading: said.sections.versions,
        facts: Object.entries(report.versions).map(([name, value]) => ({ name, value })),
      },
      authenticity(about, seal),
    ].filter((section) => !isEmpty(section)),
    hash: seal.sha256,
    texts: said,
  };
}

interface About {
  readonly report: Report;
  readonly said: Texts;
  readonly numbers: Numbers;
}

function device({ report, said, numbers }: About): Section {
  const { facts } = said;
  const { thing, site, room, asset, region, technician, startedAt, finishedAt } = report;
  return {
    heading: said.sections.device,
    facts: [
      { name: facts.thing, value: thing },
      { name: facts.code, value: shortCodeOf(thing), isCode: true },
      { name: facts.site, value: site },
      ...stated(facts.room, room),
      ...stated(facts.asset, asset),
      { name: facts.region, value: region },
      ...stated(facts.technician, technician),
      { name: facts.started, value: numbers.instant(startedAt) },
      { name: facts.finished, value: numbers.instant(finishedAt) },
      { name: facts.clock, value: clockText(report.clockAheadMs, said, numbers) },
    ],
  };
}

function clockText(aheadMs: number | undefined, said: Texts, numbers: Numbers): string {
  if (aheadMs === undefined) return said.notMeasured;
  const seconds = numbers.seconds(Math.abs(aheadMs));
  return aheadMs >= 0 ? said.clockAhead(seconds) : said.clockBehind(seconds);
}

function steps({ report, said, numbers }: About): Section {
  const { columns } = said;
  const told = (record: StepRecord): string =>
    record.outcome === "done"
      ? numbers.instant(record.at)
      : [said.because[record.because], ...(record.words === undefined ? [] : [record.words])].join(" ");
  return {
    heading: said.sections.steps,
    table: {
      columns: [columns.step, columns.outcome, columns.remark],
      widths: [0.28, 0.18, 0.54],
      rows: report.steps.map((record) => [
        said.steps[record.step],
        record.outcome === "done" ? said.done : said.left,
        told(record),
      ]),
    },
  };
}

function network({ report, said, numbers }: About): Section {
  const { columns } = said;
  return {
    heading: said.sections.network,
    table: {
      columns: [columns.check, columns.target, columns.outcome, columns.time, columns.remark],
      widths: [0.14, 0.28, 0.14, 0.1, 0.34],
      rows: report.network.map(({ check, target, passed, tookMs, sentence = "" }) => [
        check,
        target,
        passed ? said.passed : said.failed,
        tookMs === undefined ? "" : numbers.value(tookMs, "ms"),
        sentence,
      ]),
    },
  };
}

function instruments({ report, said }: About): Section {
  const { columns } = said;
  return {
    heading: said.sections.instruments,
    table: {
      columns: [columns.port, columns.instrument, columns.firmware, columns.outcome, columns.remark],
      widths: [0.2, 0.16, 0.12, 0.14, 0.38],
      rows: report.ports.map(({ port, instrument = "", firmware = "", passed, values, sentence }) => [
        port,
        instrument,
        firmware,
        passed ? said.passed : said.failed,
        // Values say it in every language.
        passed && values.length > 0 ? "" : sentence,
      ]),
    },
  };
}

function measured({ report, said, numbers }: About): Section {
  const { columns } = said;
  const rowsOf = ({ port, instrument = port, values }: InstrumentRecord): readonly (readonly string[])[] =>
    values.map(({ quantity, channel, value, unit, limit }) => [
      instrument,
      channel === undefined ? said.quantities[quantity] : `${said.quantities[quantity]}, ${channel}`,
      numbers.value(value, unit),
      limit === undefined
        ? ""
        : said.limits[quantity === "readings" ? "least" : "most"](numbers.value(limit, unit)),
    ]);
  return {
    heading: said.sections.measured,
    table: {
      columns: [columns.instrument, columns.quantity, columns.value, columns.limit],
      widths: [0.25, 0.3, 0.25, 0.2],
      rows: report.ports.flatMap(rowsOf),
    },
  };
}

function calibration({ report, said, numbers }: About): Section {
  const { columns } = said;
  const rowsOf = (record: CalibrationRecord): readonly (readonly string[])[] =>
    record.points.map(({ nominal, measured }) => [
      `${record.instrument} ${record.calibration}`,
      `${record.reference} ${record.referenceCertificate}`,
      numbers.value(nominal, record.unit),
      numbers.value(measured, record.unit),
      nominal === 0 ? "" : numbers.share((measured - nominal) / nominal),
      `± ${numbers.share(record.relativeLimit)}`,
      record.passed ? said.passed : said.failed,
    ]);
  return {
    heading: said.sections.calibration,
    table: {
      columns: [
        columns.instrument,
        columns.reference,
        columns.nominal,
        columns.value,
        columns.deviation,
        columns.limit,
        columns.outcome,
      ],
      widths: [0.15, 0.18, 0.12, 0.12, 0.15, 0.13, 0.15],
      rows: report.calibrations.flatMap(rowsOf),
    },
    paragraphs: report.calibrations.flatMap(({ instrument, repeatability }) =>
      repeatability === undefined ? [] : `${instrument}: ${said.repeatability(numbers.share(repeatability))}`,
    ),
  };
}

function identity({ report, said }: About): Section {
  const { facts } = said;
  const { certificateId, claimErased, steps } = report;
  const isPending = steps.some(({ step, outcome }) => step === "identity" && outcome === "left");
  return {
    heading: said.sections.identity,
    facts: [
      ...(certificateId === "" ? [] : [{ name: facts.certificate, value: certificateId, isCode: true }]),
      { name: facts.claim, value: claimErased ? said.claimErased : said.claimThere },
    ],
    paragraphs: isPending ? [said.identityPending] : [],
  };
}

function authenticity({ report, said }: About, seal: Seal): Section {
  const { facts } = said;
  const signer = signerOf(canonicalJson(report), seal);
  return {
    heading: said.sections.authenticity,
    facts: [
      { name: facts.hash, value: seal.sha256, isCode: true },
      ...(seal.signature === undefined || signer === undefined
        ? []
        : [{ name: facts.signature, value: seal.signature.value, isCode: true }]),
    ],
    paragraphs: [signer === undefined ? said.notSigned : said.signed(signer)],
  };
}

function stated(name: string, value: string | undefined): readonly Fact[] {
  return value === undefined ? [] : [{ name, value }];
}

function isEmpty({ facts = [], table, paragraphs = [] }: Section): boolean {
  return facts.length === 0 && paragraphs.length === 0 && (table === undefined || table.rows.length === 0);
}
