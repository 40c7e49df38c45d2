import {
  beginCalibration,
  type CalibrationState,
  nextCalibration,
} from "@coalmine/instrument/guided-calibration/guided-calibration";
import { calibrationLimits } from "@coalmine/instrument/guided-calibration/calibration-fit";
import type { ReferenceFluid } from "@coalmine/instrument/guided-calibration/reference-fluid";
import { factoryCalibration } from "@coalmine/instrument";
import { Conversation } from "@coalmine/instrument/conversation";
import type { Clock, Links } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Block, Button, Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import type { PortResult } from "../journal.ts";
import { CommissioningRefused } from "../refusal.ts";
import type { Device } from "./device.ts";

export interface CalibrationParts {
  readonly book: AnswerBook;
  readonly device: Device;
  readonly links: Links;
  readonly clock: Clock;
  /** The bottles that a technician may have along. */
  readonly fluids: readonly ReferenceFluid[];
}

type Found = Extract<PortResult, { readonly found: true }>;

const CURVE_TRIES = 3;

/** Each instrument of the suite against a reference fluid, step by step; or its factory calibration stays. */
export class CalibrationStep implements Step {
  readonly name = "calibration";
  readonly #parts: CalibrationParts;
  #state: CalibrationState | undefined;
  #port: string | undefined;

  constructor(parts: CalibrationParts) {
    this.#parts = parts;
  }

  get state(): StepState {
    const { seen, leftOut } = this.#parts.book.answers;
    if (seen.calibration !== undefined) return "done";
    return leftOut.calibration === undefined ? "open" : "skipped";
  }

  screen({ calibration: words }: Texts): Screen {
    const leave: Button = { action: "without", label: words.without, kind: "plain" };
    const state = this.#state;
    if (state === undefined) return this.#choose(words, leave);
    const fluid = `${state.fluid.name}, ${state.fluid.lot}`;
    const blocks: Block[] = [
      {
        kind: "facts",
        rows: [
          { label: words.instrument, value: state.instrument },
          { label: words.fluid, value: fluid },
        ],
      },
      { kind: "text", text: words.tasks[state.step] },
    ];
    const again: Button = { action: "again", label: words.again, kind: "plain" };
    switch (state.step) {
      case "flush":
      case "fill":
        return { blocks, buttons: [{ action: "done", label: words.done, kind: "primary" }, again] };
      case "settle":
        blocks.push({ kind: "note", tone: "busy", text: words.settling(state.seen, state.lastMean) });
        return { blocks, buttons: [again] };
      case "measure":
        blocks.push({ kind: "note", tone: "busy", text: words.measuring(state.curves.length) });
        return { blocks, buttons: [again] };
      case "decide":
        blocks.push({ kind: "facts", rows: words.fit(state.fit, calibrationLimits) });
        return {
          blocks,
          buttons: [{ action: "accept", label: words.accept, kind: "primary" }, again, leave],
        };
      case "refused":
        blocks.push({ kind: "note", tone: "bad", text: state.because });
        return { blocks, buttons: [{ ...again, kind: "primary" }, leave] };
      case "written":
        break;
    }
    return { blocks, buttons: [{ action: "finish", label: words.finish, kind: "primary" }, again] };
  }

  async act(action: string, values: Values, scene: Scene): Promise<void> {
    const { book, clock } = this.#parts;
    if (action === "again") this.#state = undefined;
    else if (action === "without") await book.leaveOut("calibration", scene.texts.calibration.without);
    else if (action === "finish") await book.saw("calibration", clock.now());
    else if (action === "begin") this.#begin(values, scene.texts);
    else if (action === "accept") await this.#accept();
    else if (action === "done") {
      this.#step({ kind: "done" });
      if (this.#state?.step === "settle") await this.#measure(scene);
    }
  }

  #choose(words: Texts["calibration"], leave: Button): Screen {
    const { fluids, book } = this.#parts;
    const done = new Set(book.answers.calibrations.map(({ instrument }) => String(instrument)));
    const instruments = this.#instruments();
    if (instruments.length === 0 || fluids.length === 0) {
      const why = instruments.length === 0 ? words.noInstrument : words.noFluid;
      return {
        blocks: [{ kind: "note", tone: "info", text: why }],
        buttons: [{ ...leave, kind: "primary" }],
      };
    }
    const [only] = instruments;
    return {
      blocks: [
        { kind: "text", text: words.what },
        {
          kind: "choice",
          name: "instrument",
          label: words.instrument,
          ...(only !== undefined && instruments.length === 1 ? { value: only.port } : {}),
          options: instruments.map(({ port, instrument }) => ({
            value: port,
            label: done.has(instrument) ? `${instrument} ✓` : instrument,
            detail: port,
          })),
        },
        {
          kind: "choice",
          name: "fluid",
          label: words.fluid,
          options: fluids.map(({ name, lot, certificate }, index) => ({
            value: String(index),
            label: name,
            detail: `${lot}, ${certificate}`,
          })),
        },
      ],
      buttons: [
        { action: "begin", label: words.begin, kind: "primary" },
        ...(done.size > 0 ? [{ action: "finish", label: words.finish, kind: "plain" } as const] : []),
        leave,
      ],
    };
  }

  #instruments(): readonly Found[] {
    const ports = this.#parts.device.entries.selfTest?.ports ?? [];
    return ports.filter(
      (port): port is Found => port.found && (port.protocol === "cobs" || port.protocol === "slip"),
    );
  }

  #begin(values: Values, { calibration: words }: Texts): void {
    const { fluids, book, clock } = this.#parts;
    const instrument = this.#instruments().find(({ port }) => port === values["instrument"]);
    const fluid = fluids.find((_, index) => String(index) === values["fluid"]);
    if (instrument === undefined || fluid === undefined)
      throw new CommissioningRefused("answers", `${words.instrument}, ${words.fluid}`);
    const before = book.answers.calibrations.findLast(
      (record) => record.instrument === instrument.instrument,
    );
    this.#port = instrument.port;
    this.#state = beginCalibration(
      {
        instrument: instrument.instrument,
        fluid,
        last: before?.curve ?? factoryCalibration,
        lastVersion: before?.version ?? 0,
      },
      clock.now(),
    );
  }

  /** Curve after curve, until the fit can be judged or is refused. */
  async #measure({ changed }: Scene): Promise<void> {
    const { links, clock, device } = this.#parts;
    const port = this.#port ?? "";
    const found = this.#instruments().find((one) => one.port === port);
    const framing = found?.protocol === "slip" ? "slip" : "cobs";
    try {
      const target = { kind: "serial", id: port, baudRate: device.settings.baudRate } as const;
      const conversation = await Conversation.open({ links, clock }, target, framing);
      try {
        while (this.#state?.step === "settle" || this.#state?.step === "measure") {
          const curve = await wholeCurve(conversation);
          if (curve === undefined)
            throw new CommissioningRefused(
              "silent-instrument",
              `${port}: ${CURVE_TRIES} flow curves one after another did not come whole`,
            );
          this.#step({ kind: "curve", curve });
          changed();
        }
      } finally {
        await conversation.close();
      }
    } catch (failure) {
      this.#state = undefined;
      if (failure instanceof CommissioningRefused) throw failure;
      throw new CommissioningRefused("silent-instrument", `${port}: ${messageOf(failure)}`, {
        cause: failure,
      });
    }
  }

  async #accept(): Promise<void> {
    const { book, clock, device } = this.#parts;
    this.#step({ kind: "accepted", by: book.answers.place?.technician ?? "", atMs: clock.now() });
    if (this.#state?.step !== "written") return;
    await book.write({ calibrations: [...book.answers.calibrations, this.#state.record] });
    await device.leaveCalibrations();
  }

  #step(event: Parameters<typeof nextCalibration>[1]): void {
    if (this.#state !== undefined) this.#state = nextCalibration(this.#state, event);
  }
}

/** A frame that a line has lost costs its curve, not the calibration. */
async function wholeCurve(conversation: Pick<Conversation, "measureCurve">) {
  for (let tries = 1; tries <= CURVE_TRIES; tries++) {
    const curve = await conversation.measureCurve();
    if (curve !== undefined) return curve;
  }
  return undefined;
}
