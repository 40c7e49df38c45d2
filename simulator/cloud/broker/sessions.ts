import type { Clock, Instant } from "@coalmine/ports";
import type { Store } from "../store/store.ts";
import type { ConnectRequest } from "./connect-request.ts";
import type { Message } from "./message.ts";
import { type Receiver, Session, SessionStore } from "./session.ts";
import type { Subscribers } from "./subscribers.ts";

/** Everybody's session by client id, from its first connection until nobody came back for it, over restarts too. */
export class Sessions {
  readonly #clock: Clock;
  readonly #kept: SessionStore;
  readonly #waitingMax: number;
  readonly #subscribers: Subscribers;
  readonly #sendWill: (message: Message, clientId: string) => void;
  readonly #byClientId = new Map<string, Session>();

  constructor(options: {
    readonly clock: Clock;
    readonly store: Store;
    readonly waitingPerSessionMax: number;
    readonly subscribers: Subscribers;
    readonly sendWill: (message: Message, clientId: string) => void;
  }) {
    this.#clock = options.clock;
    this.#kept = new SessionStore(options.store);
    this.#waitingMax = options.waitingPerSessionMax;
    this.#subscribers = options.subscribers;
    this.#sendWill = options.sendWill;
    for (const clientId of [...this.#kept.sessions.entries()].map(([key]) => key)) {
      const session = Session.restored(clientId, this.#clock, this.#kept, this.#waitingMax);
      session.keep();
      this.#byClientId.set(clientId, session);
      for (const filter of session.subscriptions.keys()) this.#subscribers.add(session, filter);
    }
  }

  get size(): number {
    return this.#byClientId.size;
  }

  /** Messages dropped because too many waited, of those sessions that are there. */
  get dropped(): number {
    let dropped = 0;
    for (const session of this.#byClientId.values()) dropped += session.dropped;
    return dropped;
  }

  receiverOf(clientId: string): Receiver | undefined {
    return this.#byClientId.get(clientId)?.receiver;
  }

  /** Goes on with the client's session where there is one, unless it wants a clean one. */
  begin(
    receiver: Receiver,
    { clientId, clean, expirySeconds }: { clientId: string; clean: boolean; expirySeconds: number },
  ): { session: Session; present: boolean } {
    const former = this.#byClientId.get(clientId);
    const present = former !== undefined && !clean;
    if (former !== undefined && clean) this.#discard(former);
    const session = present ? former : new Session(clientId, this.#clock, this.#kept, this.#waitingMax);
    session.delayedWill = undefined;
    session.receiver = receiver;
    session.disconnectedAt = undefined;
    session.expirySeconds = expirySeconds;
    session.keep();
    this.#byClientId.set(clientId, session);
    return { session, present };
  }

  /** Its receiver has gone. */
  leave(session: Session): void {
    session.receiver = undefined;
    session.disconnectedAt = this.#clock.now();
    session.keep();
  }

  /**
   * What becomes of a session that was left: its will, and its end where it was not to outlive its connection. Says when
   * there is more to do.
   */
  settle(session: Session, will: ConnectRequest["will"]): Instant | undefined {
    const now = this.#clock.now();
    if (will !== undefined) {
      const { message, lifeSeconds } = will;
      const at = now + Math.min(will.delaySeconds, session.expirySeconds) * 1000;
      const expiresAt = lifeSeconds === undefined ? undefined : at + lifeSeconds * 1000;
      session.delayedWill = { message: { ...message, expiresAt }, at };
      if (at <= now) this.#will(session);
    }
    if (!session.isPersistent) this.#discard(session);
    return nextOf(session, now);
  }

  /** Ends what is over and sends the wills that are due. Says when there is more to do. */
  sweep(): Instant | undefined {
    const now = this.#clock.now();
    let next: Instant | undefined;
    for (const session of this.#byClientId.values()) {
      if (session.expiresAt !== undefined && session.expiresAt <= now) this.#discard(session);
      else if (session.delayedWill !== undefined && session.delayedWill.at <= now) this.#will(session);
      next = soonest(next, nextOf(session, now));
    }
    return next;
  }

  #will(session: Session): void {
    const will = session.delayedWill;
    session.delayedWill = undefined;
    if (will !== undefined) this.#sendWill(will.message, session.clientId);
  }

  #discard(session: Session): void {
    // The session ends, and with it the wait for its will.
    this.#will(session);
    for (const filter of session.subscriptions.keys()) this.#subscribers.remove(session, filter);
    session.discard();
    if (this.#byClientId.get(session.clientId) === session) this.#byClientId.delete(session.clientId);
  }
}

/** When something of the session is due. */
function nextOf({ expiresAt, delayedWill }: Session, now: Instant): Instant | undefined {
  const later = (at: Instant | undefined): Instant | undefined =>
    at !== undefined && at > now ? at : undefined;
  return soonest(later(expiresAt), later(delayedWill?.at));
}

function soonest(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
