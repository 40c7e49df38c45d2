import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Block, Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import type { PortResult } from "../journal.ts";
import { CommissioningRefused } from "../refusal.ts";
import { UnhealthyInstruments } from "../wiring.ts";
import type { Device } from "./device.ts";

/** Every port and what is behind it, found well or told what to do. */
export class SelfTestStep implements Step {
  readonly name = "self-test";
  readonly #book: AnswerBook;
  readonly #device: Device;
  /** Of the last try, where it was not well. */
  #tried: readonly PortResult[] = [];
  #asksWhy = false;

  constructor(book: AnswerBook, device: Device) {
    this.#book = book;
    this.#device = device;
  }

  get state(): StepState {
    if (this.#device.entries.selfTest !== undefined) return "done";
    return this.#book.answers.leftOut["self-test"] === undefined ? "open" : "skipped";
  }

  screen({ selfTest: words }: Texts): Screen {
    if (this.#asksWhy)
      return {
        blocks: [{ kind: "input", name: "why", label: words.why, type: "text" }],
        buttons: [
          { action: "leave-out", label: words.leaveOut, kind: "primary" },
          { action: "back", label: words.back, kind: "plain" },
        ],
      };
    const results = this.#device.entries.selfTest?.ports ?? this.#tried;
    const blocks: Block[] = [{ kind: "text", text: words.what }];
    if (results.length > 0)
      blocks.push({
        kind: "findings",
        title: words.found,
        rows: results.map(({ port, passed, sentence }) => ({
          tone: passed ? "good" : "bad",
          label: port,
          text: sentence,
        })),
      });
    return {
      blocks,
      buttons: [
        { action: "test", label: results.length === 0 ? words.test : words.again, kind: "primary" },
        { action: "without", label: words.without, kind: "plain" },
      ],
    };
  }

  async act(action: string, { why = "" }: Values, { texts: { selfTest: words } }: Scene): Promise<void> {
    this.#asksWhy = action === "without";
    if (action === "leave-out") {
      if (why.trim() === "") {
        this.#asksWhy = true;
        throw new CommissioningRefused("answers", words.why);
      }
      await this.#book.leaveOut("self-test", why.trim());
    } else if (action === "test") await this.#test();
  }

  async #test(): Promise<void> {
    const commissioning = await this.#device.commissioning();
    await commissioning.journal.forget("selfTest");
    try {
      this.#tried = [];
      await commissioning.test();
    } catch (failure) {
      if (failure instanceof UnhealthyInstruments) this.#tried = failure.ports;
      throw failure;
    }
  }
}
