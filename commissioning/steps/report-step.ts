import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Block, Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import type { Device } from "./device.ts";

/** The report with its hash, for the papers of the site; the operators' side is sent it. */
export class ReportStep implements Step {
  readonly name = "report";
  readonly #book: AnswerBook;
  readonly #device: Device;
  readonly #now: () => number;

  constructor(book: AnswerBook, device: Device, now: () => number) {
    this.#book = book;
    this.#device = device;
    this.#now = now;
  }

  get state(): StepState {
    if (this.#book.answers.seen.report === undefined) return "open";
    return this.#device.entries.sent === undefined ? "later" : "done";
  }

  screen({ report: words }: Texts): Screen {
    const { sha256 } = this.#book.answers;
    if (this.#book.answers.seen.report === undefined || sha256 === undefined)
      return {
        blocks: [{ kind: "text", text: words.what }],
        buttons: [{ action: "make", label: words.make, kind: "primary" }],
      };
    const blocks: Block[] = [
      this.state === "done"
        ? { kind: "note", tone: "good", text: words.finished }
        : { kind: "note", tone: "warn", text: words.pending },
      { kind: "facts", rows: [{ label: "SHA-256", value: sha256 }] },
      {
        kind: "files",
        title: words.files,
        rows: [
          { label: "PDF", name: "report.pdf" },
          { label: "HTML", name: "report.html" },
          { label: "JSON", name: "report.json" },
        ],
      },
    ];
    return { blocks, buttons: [{ action: "make", label: words.again, kind: "plain" }] };
  }

  async act(_action: string, _values: Values, { texts }: Scene): Promise<void> {
    const papers = await this.#device.papers(texts.language);
    await this.#book.write({ sha256: papers.sha256 });
    await this.#book.saw("report", this.#now());
    const commissioning = await this.#device.commissioning();
    if (commissioning.journal.entries.proven !== undefined) await commissioning.send(papers);
  }
}
