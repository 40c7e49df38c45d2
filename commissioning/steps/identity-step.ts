import { ClaimCodeText } from "@coalmine/contract/claim-code";
import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Block, Button, Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import { CommissioningRefused } from "../refusal.ts";
import type { Device } from "./device.ts";

/** The one-time code for an identity of the device's own; without a network the code waits on the device. */
export class IdentityStep implements Step {
  readonly name = "identity";
  readonly #book: AnswerBook;
  readonly #device: Device;

  constructor(book: AnswerBook, device: Device) {
    this.#book = book;
    this.#device = device;
  }

  get state(): StepState {
    if (this.#device.entries.configured !== undefined) return "done";
    return this.#book.answers.leftOut.identity === undefined ? "open" : "later";
  }

  screen({ identity: words }: Texts): Screen {
    const { certificate, claimErased, proven } = this.#device.entries;
    if (this.state === "done")
      return {
        blocks: [
          { kind: "note", tone: "good", text: words.made },
          {
            kind: "facts",
            rows: [
              { label: words.certificate, value: certificate?.certificateId ?? "" },
              { label: words.code, value: claimErased === undefined ? words.codeThere : words.codeErased },
            ],
          },
        ],
        buttons: [],
      };
    const now: Button = { action: "use", label: words.use, kind: "primary" };
    // The rest of it needs no code.
    if (proven !== undefined)
      return {
        blocks: [{ kind: "note", tone: "good", text: words.made }],
        buttons: [{ ...now, label: words.install }],
      };
    const blocks: Block[] = [
      { kind: "text", text: words.what },
      { kind: "input", name: "code", label: words.code, type: "text", hint: "XXXX-XXXX-XXXX" },
    ];
    const later: Button = { action: "later", label: words.later, kind: "plain" };
    const isOffline = this.#book.answers.leftOut.network !== undefined;
    return { blocks, buttons: isOffline ? [{ ...later, kind: "primary" }] : [now, later] };
  }

  async act(action: string, { code = "" }: Values, { texts: { identity: words } }: Scene): Promise<void> {
    const commissioning = await this.#device.commissioning();
    // A cut after the code was shown leaves it here: the same one is shown again, and nothing has to be typed.
    if (code.trim() !== "" || commissioning.journal.entries.key === undefined) {
      const read = ClaimCodeText.safeParse(code);
      if (!read.success) throw new CommissioningRefused("code-wrong", words.codeHint);
      await commissioning.keepCode(read.data);
    }
    if (action === "later") return this.#book.leaveOut("identity", words.later);
    await commissioning.identify();
    await commissioning.configure();
  }
}
