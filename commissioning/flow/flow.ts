import { CoalmineError } from "@coalmine/runtime";
import { CommissioningRefused, diskRefusal } from "../refusal.ts";
import type { Language } from "../language.ts";
import type { Block, Deed, Screen, StepName, StepState, Values, View } from "./screen.ts";
import { type Texts, texts } from "./texts/texts.ts";

/** A step of the way. What it has done is on the disk before `act` resolves, so that it is found again after a cut. */
export interface Step {
  readonly name: StepName;
  readonly state: StepState;
  screen(texts: Texts): Screen;
  /** Does what was pressed. Rejects with a `CommissioningRefused` for what a person can mend. */
  act(action: string, values: Values, scene: Scene): Promise<void>;
}

export interface Scene {
  readonly texts: Texts;
  /** What was chosen of files, by their blocks' names. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Shows what there is so far. */
  readonly changed: () => void;
}

/** What was pressed cannot be done now. Nothing has happened. */
export class FlowError extends CoalmineError {
  readonly code = "ERR_COMMISSIONING_FLOW";
  /** In the technician's language. */
  readonly sentence: string;

  constructor(message: string, sentence: string) {
    super(message);
    this.sentence = sentence;
  }
}

/** The way of a technician through the steps, one screen at a time, for however many look at it. */
export class Flow {
  readonly #steps: readonly Step[];
  readonly #language: () => Language;
  readonly #watchers = new Set<(view: View) => void>();
  #version = 0;
  #at: StepName;
  #isBusy = false;
  #refusal: { readonly step: StepName; readonly failure: CommissioningRefused } | undefined;

  constructor(steps: readonly Step[], language: () => Language) {
    this.#steps = steps;
    this.#language = language;
    this.#at = this.#firstOpen();
  }

  get view(): View {
    const words = texts[this.#language()];
    const step = this.#step(this.#at);
    const { blocks, buttons } = step.screen(words);
    return {
      version: this.#version,
      language: this.#language(),
      step: step.name,
      title: words.steps[step.name],
      steps: this.#steps.map(({ name, state }) => ({
        name,
        title: words.steps[name],
        state,
        stateText: words.states[state],
        isCurrent: name === step.name,
      })),
      blocks: [...this.#refusalBlocks(words), ...blocks],
      buttons,
      isBusy: this.#isBusy,
      frame: words.frame,
    };
  }

  /** Until `unwatch`, told of every view. */
  watch(watcher: (view: View) => void): { unwatch(): void } {
    this.#watchers.add(watcher);
    return { unwatch: () => void this.#watchers.delete(watcher) };
  }

  /** Goes to another step: to any that is done, and to the first that is not. */
  go(name: StepName): void {
    const words = texts[this.#language()];
    if (this.#isBusy) throw new FlowError("something is under way: wait until it is over", words.busy);
    const target = this.#step(name);
    if (target.state === "open" && name !== this.#firstOpen())
      throw new FlowError(
        `${this.#firstOpen()} comes before ${name}: finish it first`,
        words.notYet(words.steps[this.#firstOpen()]),
      );
    this.#at = name;
    this.#refusal = undefined;
    this.#changed();
  }

  /**
   * Resolves when what was pressed is done, or was refused: the view says which. Rejects with a `FlowError` where it
   * could not even be begun.
   */
  async act({ step: name, action, values, files = {} }: Deed): Promise<void> {
    const words = texts[this.#language()];
    if (this.#isBusy) throw new FlowError("something is under way: wait until it is over", words.busy);
    const step = this.#step(this.#at);
    if (name !== step.name)
      throw new FlowError(
        `this was meant for ${name}, and the device is at ${step.name}: look again`,
        words.moved(words.steps[step.name]),
      );
    if (!step.screen(words).buttons.some((button) => button.action === action))
      throw new FlowError(`${step.name} has no ${action}: look again`, words.noSuchButton(action));
    this.#isBusy = true;
    this.#refusal = undefined;
    const before = step.state;
    this.#changed();
    try {
      await step.act(action, values, {
        texts: words,
        files: Object.fromEntries(
          Object.entries(files).map(([name, base64]) => [name, Buffer.from(base64, "base64")]),
        ),
        changed: () => this.#changed(),
      });
    } catch (thrown) {
      const failure = diskRefusal(thrown, "the device's folder");
      if (!(failure instanceof CommissioningRefused)) throw failure;
      this.#refusal = { step: name, failure };
    } finally {
      this.#isBusy = false;
      if (before === "open" && step.state !== "open") this.#at = this.#firstOpen();
      this.#changed();
    }
  }

  #refusalBlocks(words: Texts): readonly Block[] {
    if (this.#refusal?.step !== this.#at) return [];
    const { reason, sentence } = this.#refusal.failure;
    return [{ kind: "note", tone: "bad", text: words.refusals[reason], detail: sentence }];
  }

  #changed(): void {
    this.#version++;
    const { view } = this;
    for (const watcher of this.#watchers) watcher(view);
  }

  /** Where everything is done, the last: the report. */
  #firstOpen(): StepName {
    const open = this.#steps.find(({ state }) => state === "open") ?? this.#steps.at(-1);
    if (open === undefined) throw new Error("a flow has steps");
    return open.name;
  }

  #step(name: StepName): Step {
    const step = this.#steps.find((step) => step.name === name);
    if (step === undefined) throw new Error(`there is no step ${name}`);
    return step;
  }
}
