import type { Clock, Log, Random } from "@coalmine/ports";
import { fullJitter, messageOf } from "@coalmine/runtime";
import type { Alarm } from "./alarm.ts";
import type { Bandwidth, Urgency } from "./bandwidth.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Parcel, Sink } from "./sinks/sink.ts";
import type { UploaderHealth } from "./uploader-health.ts";

const BACKOFF = { firstMs: 1000, maxMs: 300_000 };
/** Nobody answers: an attempt costs nobody anything, and alarms have to be on their way 5 s after somebody does. */
const ALARM_OFFLINE_MS = { least: 2000, most: 4000 };
/** What only a person can mend is named this often. */
const REMEDY_EVERY_MS = 3_600_000;
/** A parcel that is refused for good is tried so often, in case the service was mistaken. */
const POISON_TRIES = 5;
/** So many in a row are not bad parcels but a sink that takes nothing: then they are kept, and a person is told. */
const POISON_IN_A_ROW_MAX = 16;

export type Outcome =
  | { readonly kind: "taken" }
  | { readonly kind: "quarantined"; readonly points: number }
  /** Stopped, or `isOver` said so. */
  | { readonly kind: "left" };

export interface DeliveryParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sinkName: string;
  readonly urgency: Urgency;
  readonly bandwidth: Bandwidth;
  readonly quarantine: Quarantine;
  readonly health: UploaderHealth;
  readonly alarm: Alarm;
  /** Somebody answered: what waits for the network need not wait longer. */
  readonly answered: () => void;
}

/** Sends one parcel again and again until it is taken, or refused for good. */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #remedyToldMs = new Map<string, number>();
  #poisonInARow = 0;
  #isOffline = false;
  #mayTryNow = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** The network is there: a wait for it ends. */
  tryNow(): void {
    if (!this.#isOffline) return;
    this.#mayTryNow = true;
    this.#parts.alarm.ring();
  }

  /** `between` is called after each attempt that failed; the parcel is left where `isOver` becomes true. */
  async deliver(
    sink: Sink,
    parcel: Parcel,
    isOver: () => boolean,
    between: () => Promise<void>,
  ): Promise<Outcome> {
    const { health, log, random, sinkName } = this.#parts;
    const backoff = fullJitter(BACKOFF, random);
    for (let refusals = 0; !isOver();) {
      if (!(await this.#maySend(parcel.bytes, isOver))) break;
      let waitMs = 0;
      try {
        await parcel.send();
        this.#taken();
        return { kind: "taken" };
      } catch (failure) {
        const answer = sink.classify(failure);
        const cause = messageOf(failure);
        if (answer.kind === "stored") {
          this.#taken();
          return { kind: "taken" };
        }
        health.count("uploadFailures");
        this.#isOffline = answer.kind === "retry" && answer.code === "NetworkError";
        if (!this.#isOffline) this.#parts.answered();
        const { least, most } = ALARM_OFFLINE_MS;
        waitMs =
          this.#isOffline && this.#parts.urgency === "alarms"
            ? least + random.next() * (most - least)
            : backoff.next().value;
        if (answer.kind === "retry") {
          log.debug("an upload will be tried again", {
            sink: sinkName,
            key: parcel.name,
            code: answer.code,
            cause,
          });
          waitMs = Math.max(waitMs, answer.afterMs);
        } else if (answer.kind === "blocked") this.#tellRemedy(sink, answer.code, answer.remedy, cause);
        else {
          const parted = await this.#refused(sink, parcel, ++refusals, answer.code, cause, isOver, between);
          if (parted !== undefined) return parted;
        }
      }
      await this.#waitOut(waitMs, isOver);
      await between();
    }
    return { kind: "left" };
  }

  /** Waits until the bandwidth allows it. */
  async #maySend(bytes: number, isOver: () => boolean): Promise<boolean> {
    const { bandwidth, urgency, alarm } = this.#parts;
    for (let waitMs = 1; waitMs > 0;) {
      waitMs = bandwidth.waitMs(urgency);
      if (isOver()) return false;
      if (waitMs > 0) await alarm.wait(waitMs);
    }
    bandwidth.spend(urgency, bytes);
    return true;
  }

  #taken(): void {
    this.#poisonInARow = 0;
    this.#isOffline = false;
    this.#parts.answered();
  }

  /** Refused for good: in halves where it has any, then again a few times, then aside. */
  async #refused(
    sink: Sink,
    parcel: Parcel,
    refusals: number,
    code: string,
    cause: string,
    isOver: () => boolean,
    between: () => Promise<void>,
  ): Promise<Outcome | undefined> {
    const { quarantine, log, sinkName } = this.#parts;
    if (this.#poisonInARow >= POISON_IN_A_ROW_MAX) {
      this.#tellRemedy(
        sink,
        code,
        `the sink took none of ${POISON_IN_A_ROW_MAX} uploads: correct it or its limits`,
        cause,
      );
      return undefined;
    }
    const halves = parcel.halves();
    if (halves !== undefined) {
      let points = 0;
      for (const half of halves) {
        const outcome = await this.deliver(sink, half, isOver, between);
        if (outcome.kind === "left") return outcome;
        if (outcome.kind === "quarantined") points += outcome.points;
      }
      return points > 0 ? { kind: "quarantined", points } : { kind: "taken" };
    }
    if (refusals < POISON_TRIES) return undefined;
    this.#poisonInARow++;
    log.error("an upload is refused for good, and put aside; the stream goes on", {
      sink: sinkName,
      key: parcel.name,
      points: parcel.points,
      code,
      cause,
    });
    await quarantine.keep(parcel.content(), `${sinkName} answered ${code} for ${parcel.name}: ${cause}`);
    return { kind: "quarantined", points: parcel.points };
  }

  /** New points do not end this wait; being over and the network's return do. */
  async #waitOut(waitMs: number, isOver: () => boolean): Promise<void> {
    const { clock, alarm } = this.#parts;
    const until = clock.monotonicMs() + waitMs;
    const leftMs = (): number => until - clock.monotonicMs();
    this.#mayTryNow = false;
    // Less than a millisecond may be less than the clock can tell apart.
    while (!isOver() && !this.#mayTryNow && leftMs() >= 1) await alarm.wait(leftMs());
  }

  #tellRemedy(sink: Sink, code: string, remedy: string, cause: string): void {
    const { clock, log, sinkName } = this.#parts;
    const told = this.#remedyToldMs.get(code);
    if (told !== undefined && clock.monotonicMs() - told < REMEDY_EVERY_MS) return;
    this.#remedyToldMs.set(code, clock.monotonicMs());
    log.error("uploads are refused; the points are kept", {
      sink: sinkName,
      target: sink.target,
      code,
      remedy,
      cause,
    });
  }
}
