import type { SelfTestOutcome } from "@coalmine/contract";
import { framedSelfTest } from "@coalmine/instrument";
import { Conversation } from "@coalmine/instrument/conversation";
import {
  beginCalibration,
  type CalibrationEvent,
  type CalibrationState,
  calibrationTasks,
  nextCalibration,
  undoCalibration,
} from "@coalmine/instrument/guided-calibration/guided-calibration";
import { InstrumentAnswer, InstrumentRequest } from "@coalmine/instrument/instrument-request";
import { linkName } from "@coalmine/instrument/lines";
import { lineSelfTest } from "@coalmine/instrument/self-test/line-self-test";
import type { Clock, Links } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { CalibrationHistory } from "./calibration-history.ts";
import type { Config } from "./config.ts";

/** Requests that wait; more are refused. */
const WAITING_MAX = 8;
/** Of a history, newest last; a message over local publish/subscribe stays well below its bound. */
const RECORDS_MAX = 20;

/** What the desk needs of the reader. */
export interface DeskOwner {
  readonly clock: Clock;
  readonly links: Links;
  readonly calibrations: CalibrationHistory;
  config(): Config;
  /** Closes a port that is read, has `act` use it, and reads it again; why not, where that cannot be now. */
  lend<Result>(port: string, act: () => Promise<Result>): Promise<Result | { readonly refused: string }>;
}

type Of<Kind extends InstrumentRequest["kind"]> = Extract<InstrumentRequest, { kind: Kind }>;
type Answer = InstrumentAnswer extends infer Each
  ? Each extends unknown
    ? Omit<Each, "version" | "id">
    : never
  : never;

/** Tests and calibrates instruments for whoever asks over the topics, with the code that commissioning has. */
export class InstrumentDesk {
  readonly #owner: DeskOwner;
  readonly #publish: (answer: InstrumentAnswer) => void;
  readonly #running = new Map<string, CalibrationState>();
  /** One request after the other: each may take a port for half a minute. */
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(owner: DeskOwner, publish: (answer: InstrumentAnswer) => void) {
    this.#owner = owner;
    this.#publish = publish;
  }

  /** Never rejects; what cannot be read as a request is nobody's. */
  asked(message: unknown): Promise<void> {
    const parsed = InstrumentRequest.safeParse(message);
    if (!parsed.success) return Promise.resolve();
    const request = parsed.data;
    const { id } = request;
    const say = (answer: Answer) => this.#publish(InstrumentAnswer.parse({ ...answer, version: 1, id }));
    if (this.#waiting >= WAITING_MAX) {
      say({
        kind: "refused",
        because: `${WAITING_MAX} requests wait already: ask again when they are answered`,
      });
      return Promise.resolve();
    }
    this.#waiting++;
    return (this.#last = this.#last.then(async () => {
      try {
        await this.#serve(request, say);
      } catch (failure) {
        say({ kind: "refused", because: `${messageOf(failure)}: look at the port, then ask again` });
      } finally {
        this.#waiting--;
      }
    }));
  }

  async #serve(request: InstrumentRequest, say: (answer: Answer) => void): Promise<void> {
    const { calibrations, clock } = this.#owner;
    switch (request.kind) {
      case "self-test":
        return this.#selfTest(request.port, say);
      case "calibration-begin":
        return this.#begin(request, say);
      case "calibration-done":
        return this.#step(request.port, { kind: "done" }, say);
      case "calibration-accept":
        return this.#step(request.port, { kind: "accepted", by: request.by, atMs: clock.now() }, say);
      case "calibration-leave":
        this.#running.delete(request.port);
        return say({ kind: "refused", because: "the calibration was left; nothing was changed" });
      case "calibration-undo": {
        const { instrument, by } = request;
        const records = calibrations.recordsOf(instrument);
        const record = undoCalibration(records, calibrations.configured, { by, atMs: clock.now() });
        if (record === undefined)
          return say({
            kind: "refused",
            because: `${instrument} was never calibrated here: there is nothing to undo`,
          });
        await calibrations.record(record);
        return this.#history(instrument, say);
      }
      case "calibration-history":
        return this.#history(request.instrument, say);
    }
  }

  #history(instrument: Of<"calibration-history">["instrument"], say: (answer: Answer) => void): void {
    const records = this.#owner.calibrations.recordsOf(instrument).slice(-RECORDS_MAX);
    say({ kind: "calibration-history", instrument, records });
  }

  async #selfTest(port: string, say: (answer: Answer) => void): Promise<void> {
    const { links, clock } = this.#owner;
    const { lines, framing } = this.#owner.config();
    const line = lines.find(({ link }) => linkName(link) === port);
    const outcomes = await this.#owner.lend(port, async (): Promise<SelfTestOutcome[]> => {
      if (line !== undefined) return lineSelfTest(line, { links, clock });
      return [await framedSelfTest({ links, clock, framing, target: this.#target(port) })];
    });
    if ("refused" in outcomes) say({ kind: "refused", because: outcomes.refused });
    else say({ kind: "self-test", port, outcomes });
  }

  async #begin({ port, reference }: Of<"calibration-begin">, say: (answer: Answer) => void): Promise<void> {
    const { calibrations, clock } = this.#owner;
    const hello = await this.#owner.lend(port, () => this.#talk(port, (conversation) => conversation.who()));
    if (hello === undefined)
      return say({ kind: "refused", because: `nothing answers on ${port}: run its self-test first` });
    if ("refused" in hello) return say({ kind: "refused", because: hello.refused });
    const { instrument } = hello;
    const state = beginCalibration(
      {
        instrument,
        fluid: reference,
        last: calibrations.currentOf(instrument),
        lastVersion: calibrations.recordsOf(instrument).at(-1)?.version ?? 0,
      },
      clock.now(),
    );
    this.#tell(port, state, say);
  }

  async #step(port: string, event: CalibrationEvent, say: (answer: Answer) => void): Promise<void> {
    const before = this.#running.get(port);
    if (before === undefined)
      return say({ kind: "refused", because: `no calibration runs on ${port}: begin one` });
    const state = nextCalibration(before, event);
    if (state === before)
      return say({
        kind: "refused",
        because: `the calibration on ${port} is at the step "${before.step}": ${calibrationTasks[before.step]}`,
      });
    // In force, and told, when it is on disk.
    if (state.step === "written") await this.#owner.calibrations.record(state.record);
    this.#tell(port, state, say);
    if (state.step !== "settle") return;
    try {
      const lent = await this.#owner.lend(port, () =>
        this.#talk(port, (conversation) => this.#measure(port, state, conversation, say)),
      );
      if (lent === undefined) return;
      say({ kind: "refused", because: lent.refused });
    } catch (failure) {
      say({ kind: "refused", because: `${messageOf(failure)}: look at the port` });
    }
    // Filled it is: the same step can be told done again.
    this.#running.set(port, before);
  }

  async #measure(
    port: string,
    from: CalibrationState,
    conversation: Conversation,
    say: (answer: Answer) => void,
  ): Promise<undefined> {
    let state = from;
    // Ends: the machine counts the curves of both steps.
    while (state.step === "settle" || state.step === "measure") {
      const hello = await conversation.who();
      const curve = await conversation.measureCurve();
      if (curve === undefined || hello?.instrument !== from.instrument)
        throw new Error(`${from.instrument} sent no whole curve`);
      const next = nextCalibration(state, { kind: "curve", curve });
      if (next.step !== state.step) this.#tell(port, next, say);
      state = next;
    }
    return undefined;
  }

  #tell(port: string, state: CalibrationState, say: (answer: Answer) => void): void {
    const isOver = state.step === "refused" || state.step === "written";
    if (isOver) this.#running.delete(port);
    else this.#running.set(port, state);
    const { step, instrument } = state;
    const text =
      step === "refused" ? `${state.because}. ${calibrationTasks.refused}` : calibrationTasks[step];
    const fit = step === "decide" ? state.fit : undefined;
    const found = fit && {
      uncertainty: fit.budget.combined,
      deviation: fit.deviation,
      meanTemperature: fit.meanTemperature,
      repeatability: fit.budget.repeatability,
    };
    say({ kind: "calibration", port, instrument, step, text, ...(found === undefined ? {} : { found }) });
  }

  async #talk<Result>(port: string, act: (conversation: Conversation) => Promise<Result>): Promise<Result> {
    const conversation = await Conversation.open(
      this.#owner,
      this.#target(port),
      this.#owner.config().framing,
    );
    try {
      return await act(conversation);
    } finally {
      await conversation.close();
    }
  }

  #target(port: string) {
    return { kind: "serial", id: port, baudRate: this.#owner.config().baudRate } as const;
  }
}
