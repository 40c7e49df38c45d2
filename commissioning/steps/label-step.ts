import { readFile } from "node:fs/promises";
import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import { shortCodeOf } from "../label/short-code.ts";
import type { Device } from "./device.ts";

/** A label to print or, where there is no printer, a code to write by hand. */
export class LabelStep implements Step {
  readonly name = "label";
  readonly #book: AnswerBook;
  readonly #device: Device;
  readonly #now: () => number;
  #svg: string | undefined;

  constructor(book: AnswerBook, device: Device, now: () => number) {
    this.#book = book;
    this.#device = device;
    this.#now = now;
  }

  get state(): StepState {
    return this.#book.answers.seen.label === undefined ? "open" : "done";
  }

  screen({ label: words }: Texts): Screen {
    const code = shortCodeOf(this.#device.settings.serial);
    if (this.#svg === undefined)
      return {
        blocks: [{ kind: "text", text: words.what }],
        buttons: [{ action: "make", label: words.make, kind: "primary" }],
      };
    return {
      blocks: [
        { kind: "picture", svg: this.#svg, text: words.picture(this.#device.settings.serial, code) },
        { kind: "facts", rows: [{ label: words.byHand, value: code }] },
        {
          kind: "files",
          title: words.print,
          rows: [
            { label: "PDF", name: "label.pdf" },
            { label: "PNG", name: "label.png" },
            { label: "ZPL, 203 dpi", name: "label-203.zpl" },
            { label: "ZPL, 300 dpi", name: "label-300.zpl" },
          ],
        },
      ],
      buttons: [{ action: "keep", label: words.keep, kind: "primary" }],
    };
  }

  async act(action: string, _values: Values, { texts }: Scene): Promise<void> {
    if (action === "keep") return this.#book.saw("label", this.#now());
    await this.#device.papers(texts.language);
    const { places } = await this.#device.commissioning();
    this.#svg = await readFile(places.label.svg, "utf8");
  }
}
