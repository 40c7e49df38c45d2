import { Commissioning, type CommissioningPorts } from "../commissioning.ts";
import type { AnswerBook, Place } from "../flow/answers.ts";
import type { JournalEntries } from "../journal.ts";
import type { Language } from "../language.ts";
import { CommissionOptions } from "../options.ts";
import type { Papers } from "../papers.ts";
import { CommissioningRefused } from "../refusal.ts";
import { calibrationRecord } from "../report/calibration-record.ts";
import { Visit } from "../report/visit.ts";

/** What the maker knows of a device before anybody is on site. */
export type FactorySettings = Omit<CommissionOptions, "site" | "technician">;

/** The device as the answers so far make it: what steps do to it goes by here. */
export class Device {
  readonly settings: FactorySettings;
  readonly #book: AnswerBook;
  readonly #ports: CommissioningPorts;
  readonly #consoleUrl: string | undefined;
  #open: { readonly place: Place; readonly commissioning: Commissioning } | undefined;

  constructor(parts: {
    readonly settings: FactorySettings;
    readonly book: AnswerBook;
    readonly ports: CommissioningPorts;
    readonly consoleUrl?: string | undefined;
  }) {
    this.settings = parts.settings;
    this.#book = parts.book;
    this.#ports = parts.ports;
    this.#consoleUrl = parts.consoleUrl;
  }

  /** What is done already; empty before the device has a place. To be opened once at the start. */
  get entries(): Partial<JournalEntries> {
    return this.#open?.commissioning.journal.entries ?? {};
  }

  /** @throws CommissioningRefused before the site is known. */
  async commissioning(): Promise<Commissioning> {
    const { place } = this.#book.answers;
    if (place === undefined) throw new CommissioningRefused("answers", "the device has no site yet");
    if (this.#open === undefined || this.#open.place !== place) {
      const { site, technician } = place;
      const options = CommissionOptions.parse({ ...this.settings, site, technician });
      this.#open = { place, commissioning: await Commissioning.open(options, this.#ports) };
    }
    return this.#open.commissioning;
  }

  /** For sensor-reader; again where a power cut came between. */
  async leaveCalibrations(): Promise<void> {
    await (await this.commissioning()).leaveCalibrations(this.#book.answers.calibrations);
  }

  /** Writes label and report as they stand. */
  async papers(language: Language): Promise<Papers> {
    await this.leaveCalibrations();
    const { leftOut, checks, calibrations, seen, place } = this.#book.answers;
    const skipped = Object.entries(leftOut).flatMap(([step, words]) => {
      const known = Visit.shape.skipped.unwrap().element.safeParse({ step, words });
      return known.success ? [known.data] : [];
    });
    const visit = Visit.parse({
      technician: place?.technician,
      room: place?.room,
      asset: place?.asset,
      language,
      consoleUrl: this.#consoleUrl,
      skipped,
    });
    const { checks: checked, calibration } = seen;
    return (await this.commissioning()).report(visit, {
      ...(checked === undefined ? {} : { network: { atMs: checked.atMs, checks } }),
      ...(calibration === undefined || calibrations.length === 0
        ? {}
        : { calibration: { atMs: calibration.atMs, records: calibrations.flatMap(calibrationRecord) } }),
    });
  }
}
