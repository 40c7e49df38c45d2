import type { Clock, Instant, Random } from "@coalmine/ports";
import { ServiceError } from "../service.ts";
import { concerns, type Call, type CallFault, type Fault } from "./fault.ts";
import { failureOf, throttlingOf } from "./refusals.ts";

/** The call was carried out, or never came: whoever asked hears nothing. A network door hangs up. */
export class ReplyLost extends Error {
  /** As sockets name it. */
  readonly code = "ECONNRESET";
}

/** A fault that is in force, and how often it has struck. */
export interface ActiveFault {
  readonly id: string;
  readonly fault: Fault;
  readonly strikes: number;
  /** On the cloud's own clock; without it only its count ends it. */
  readonly endsAt: Instant | undefined;
}

/** Ours: a test that has forgotten to clear must not slow every call down. */
const FAULTS_MAX = 100;

/**
 * What is broken in a cloud on purpose. Whoever serves a call asks before it and after it; whoever holds a link asks
 * whether it still is one. Chance is drawn only where a fault leaves something to it.
 */
export class Faults {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #active = new Map<string, ActiveFault>();
  readonly #cut: ((thing: string) => void)[] = [];
  #made = 0;

  constructor(options: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Told at once when a thing's link is cut, so that its connections end. */
  onCut(cut: (thing: string) => void): void {
    this.#cut.push(cut);
  }

  inject(fault: Fault): ActiveFault {
    if (this.list().length >= FAULTS_MAX)
      throw new ServiceError(
        "LimitExceededException",
        400,
        `${FAULTS_MAX} faults are in force already: clear some.`,
      );
    const id = `fault-${++this.#made}`;
    const endsAt = fault.seconds === undefined ? undefined : this.#clock.now() + fault.seconds * 1000;
    const active = { id, fault, strikes: 0, endsAt };
    this.#active.set(id, active);
    if (fault.kind === "cut") for (const cut of this.#cut) cut(fault.thing);
    return active;
  }

  /** Those in force, in order of injection. */
  list(): readonly ActiveFault[] {
    if (this.#active.size === 0) return [];
    const now = this.#clock.now();
    for (const { id, endsAt } of this.#active.values())
      if (endsAt !== undefined && endsAt <= now) this.#active.delete(id);
    return [...this.#active.values()];
  }

  /** Ends one, or all of them; gives which. */
  clear(id?: string): readonly string[] {
    const ended = this.list().filter((active) => id === undefined || active.id === id);
    if (id !== undefined && ended.length === 0)
      throw new ServiceError("ResourceNotFoundException", 404, `No fault ${id} is in force; it may be over.`);
    for (const active of ended) this.#active.delete(active.id);
    return ended.map((active) => active.id);
  }

  /** @throws ServiceError as the service refuses or fails, ReplyLost where the thing has no way to the cloud. */
  before(call: Call): void {
    if (this.#active.size === 0) return;
    if (this.isCut(call.thing)) throw new ReplyLost(`the link of ${call.thing} is cut`);
    const struck = this.#strike(call, (fault) => fault.kind !== "drop-reply");
    if (struck?.kind === "throttle") throw throttlingOf(call);
    if (struck?.kind === "error") throw failureOf(call, struck.status);
  }

  /** @throws ReplyLost where the answer is not to come. */
  after(call: Call): void {
    if (this.losesReply(call)) throw new ReplyLost(`the answer of ${call.operation} is dropped`);
  }

  losesReply(call: Call): boolean {
    return this.#active.size > 0 && this.#strike(call, (fault) => fault.kind === "drop-reply") !== undefined;
  }

  isCut(thing: string | undefined): boolean {
    return (
      this.#active.size > 0 && this.list().some(({ fault }) => fault.kind === "cut" && fault.thing === thing)
    );
  }

  /** How much longer everything takes on the thing's link, each way. */
  delayMs(thing: string | undefined): number {
    if (this.#active.size === 0) return 0;
    return this.list().reduce(
      (sum, { fault }) => sum + (fault.kind === "slow" && fault.thing === thing ? fault.delayMs : 0),
      0,
    );
  }

  /** Waits as long as the thing's link takes. */
  async pause(thing: string | undefined): Promise<void> {
    const delayMs = this.delayMs(thing);
    if (delayMs > 0) await this.#clock.sleep(delayMs);
  }

  /** The first fault that strikes this call. */
  #strike(call: Call, fits: (fault: CallFault) => boolean): CallFault | undefined {
    for (const active of this.list()) {
      const { fault } = active;
      if (!concerns(fault, call) || !fits(fault)) continue;
      if (fault.probability < 1 && this.#random.next() >= fault.probability) continue;
      const strikes = active.strikes + 1;
      if (fault.count !== undefined && strikes >= fault.count) this.#active.delete(active.id);
      else this.#active.set(active.id, { ...active, strikes });
      return fault;
    }
    return undefined;
  }
}
