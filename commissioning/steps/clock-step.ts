import type { Clock, Instant } from "@coalmine/ports";
import { isSetClock, refuseUnsetClock } from "../clock-gate.ts";
import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Block, Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import type { ClockBattery } from "../technician/clock-battery.ts";
import { CommissioningRefused } from "../refusal.ts";

/** Sets the machine's clock, which takes its superuser. Rejects with what the system says. */
export type SetClock = (to: Instant) => Promise<void>;

/** A phone is taken to know the time better than a device that differs by more. */
const AHEAD_MS_MAX = 60_000;
const SECOND_MS = 1000;

export interface ClockParts {
  readonly book: AnswerBook;
  readonly clock: Clock;
  readonly setClock: SetClock;
  /** Whether the hardware's clock will still go after the next power cut. */
  readonly battery: () => Promise<ClockBattery>;
}

/** Nothing that uses TLS begins, and nothing is measured, before the time is right. */
export class ClockStep implements Step {
  readonly name = "clock";
  readonly #book: AnswerBook;
  readonly #clock: Clock;
  readonly #setClock: SetClock;
  readonly #battery: ClockBattery;
  /** The device's clock beside the phone's, when they were last compared. */
  #aheadMs: number | undefined;

  private constructor({ book, clock, setClock }: ClockParts, battery: ClockBattery) {
    this.#book = book;
    this.#clock = clock;
    this.#setClock = setClock;
    this.#battery = battery;
  }

  static async open(parts: ClockParts): Promise<ClockStep> {
    return new ClockStep(parts, await parts.battery());
  }

  /** A device that was without power for long may have lost its time again. */
  get state(): StepState {
    return this.#book.answers.seen.clock !== undefined && isSetClock(this.#clock) ? "done" : "open";
  }

  screen({ clock: words }: Texts): Screen {
    const told = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const blocks: Block[] = [{ kind: "facts", rows: [{ label: words.device, value: told }] }];
    if (!isSetClock(this.#clock)) blocks.push({ kind: "note", tone: "bad", text: words.neverSet });
    else if (this.#isOff)
      blocks.push({ kind: "note", tone: "warn", text: words.differs(this.#aheadSeconds) });
    else if (this.#aheadMs !== undefined)
      blocks.push({ kind: "note", tone: "good", text: words.agrees(this.#aheadSeconds) });
    const battery = words.battery[this.#battery];
    if (battery !== "")
      blocks.push({ kind: "note", tone: this.#battery === "good" ? "good" : "warn", text: battery });
    blocks.push({ kind: "now", name: "now", label: words.now });
    const set = { action: "set", label: words.set, kind: "primary" } as const;
    const check = { action: "check", label: words.check, kind: "primary" } as const;
    if (!isSetClock(this.#clock)) return { blocks, buttons: [set] };
    if (!this.#isOff) return { blocks, buttons: [check, { ...set, kind: "plain" }] };
    return { blocks, buttons: [set, { action: "keep", label: words.keep, kind: "plain" }] };
  }

  async act(action: string, { now = "" }: Values, { texts: { clock: words } }: Scene): Promise<void> {
    const theirs = instantOf(now);
    if (action === "set") {
      if (theirs === undefined) throw new CommissioningRefused("answers", words.nowHint);
      await this.#setClock(theirs).catch((failure: unknown) => {
        throw new CommissioningRefused("clock-not-set", words.notSettable(String(failure)), {
          cause: failure,
        });
      });
    }
    refuseUnsetClock(this.#clock);
    this.#aheadMs = theirs === undefined ? undefined : this.#clock.now() - theirs;
    if (action === "keep" || !this.#isOff) await this.#seen();
  }

  get #isOff(): boolean {
    return this.#aheadMs !== undefined && Math.abs(this.#aheadMs) > AHEAD_MS_MAX;
  }

  get #aheadSeconds(): number {
    return Math.round((this.#aheadMs ?? 0) / SECOND_MS);
  }

  async #seen(): Promise<void> {
    await this.#book.saw("clock", this.#clock.now());
  }
}

/** Milliseconds, as a page sends them, or a date as a person types it. */
function instantOf(text: string): Instant | undefined {
  if (text.trim() === "") return undefined;
  const instant = /^\d{12,14}$/.test(text.trim()) ? Number(text) : Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}
