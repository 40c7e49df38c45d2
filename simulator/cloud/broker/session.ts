import type { Clock, Instant } from "@coalmine/ports";
import type { Store, Table } from "../store/store.ts";
import { fromStored, isExpired, type Message, type StoredMessage, toStored } from "./message.ts";

export interface Subscription {
  readonly filter: string;
  readonly qos: 0 | 1;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
}

/** A message on its way to one session, with the QoS and the retain flag that it has there. */
export interface Delivery {
  readonly order: number;
  readonly message: Message;
  packetId?: number;
  sentBefore: boolean;
}

/** The connection as its session sees it. */
export interface Receiver {
  /** How many unacknowledged messages the client takes. */
  readonly windowMax: number;
  mayReceive(topic: string): boolean;
  /** False when the message cannot go now and should wait. */
  send(delivery: Delivery): boolean;
}

interface StoredSession {
  readonly subscriptions: readonly Subscription[];
  readonly expirySeconds: number;
  readonly disconnectedAt?: Instant;
}
type StoredDelivery = StoredMessage & { readonly packetId?: number };

/** The sessions that outlive their connection, as the store has them. */
export class SessionStore {
  readonly sessions: Table<StoredSession>;
  readonly deliveries: Table<StoredDelivery>;
  constructor(store: Store) {
    this.sessions = store.table("mqtt-sessions");
    this.deliveries = store.table("mqtt-deliveries");
  }

  static key(clientId: string, order: number): string {
    return `${clientId}\n${String(order).padStart(15, "0")}`;
  }
}

/** What the broker remembers of a client id: its subscriptions, and what it has not acknowledged. */
export class Session {
  readonly clientId: string;
  readonly subscriptions = new Map<string, Subscription>();
  receiver: Receiver | undefined;
  expirySeconds = 0;
  disconnectedAt: Instant | undefined;
  delayedWill: { readonly message: Message; readonly at: Instant } | undefined;
  /** Messages dropped because too many waited. */
  dropped = 0;
  readonly #clock: Clock;
  readonly #kept: SessionStore;
  readonly #waitingMax: number;
  readonly #waiting: Delivery[] = [];
  readonly #inFlight = new Map<number, Delivery>();
  #order = 0;
  #packetId = 0;

  constructor(clientId: string, clock: Clock, kept: SessionStore, waitingMax: number) {
    this.clientId = clientId;
    this.#clock = clock;
    this.#kept = kept;
    this.#waitingMax = waitingMax;
  }

  /** Reads back what the store has of this session. */
  static restored(clientId: string, clock: Clock, kept: SessionStore, waitingMax: number): Session {
    const session = new Session(clientId, clock, kept, waitingMax);
    const stored = kept.sessions.get(clientId);
    for (const subscription of stored?.subscriptions ?? [])
      session.subscriptions.set(subscription.filter, subscription);
    session.expirySeconds = stored?.expirySeconds ?? 0;
    // A session that was connected when the cloud stopped has been alone since now.
    session.disconnectedAt = stored?.disconnectedAt ?? clock.now();
    for (const [key, { packetId, ...message }] of kept.deliveries.entries(`${clientId}\n`)) {
      const delivery: Delivery = {
        order: Number(key.slice(clientId.length + 1)),
        message: fromStored(message),
        ...(packetId === undefined ? {} : { packetId }),
        sentBefore: packetId !== undefined,
      };
      session.#order = Math.max(session.#order, delivery.order);
      if (packetId === undefined) session.#waiting.push(delivery);
      else session.#inFlight.set(packetId, delivery);
    }
    return session;
  }

  get isPersistent(): boolean {
    return this.expirySeconds > 0;
  }

  get waiting(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  /** When nobody came back for it, on the broker's clock. */
  get expiresAt(): Instant | undefined {
    return this.disconnectedAt === undefined ? undefined : this.disconnectedAt + this.expirySeconds * 1000;
  }

  /** Keeps subscriptions and expiry; called after each change. */
  keep(): void {
    if (!this.isPersistent) {
      this.#kept.sessions.delete(this.clientId);
      return;
    }
    this.#kept.sessions.set(this.clientId, {
      subscriptions: [...this.subscriptions.values()],
      expirySeconds: this.expirySeconds,
      ...(this.disconnectedAt === undefined ? {} : { disconnectedAt: this.disconnectedAt }),
    });
  }

  /** Forgets everything, in the store too. */
  discard(): void {
    for (const delivery of [...this.#waiting, ...this.#inFlight.values()]) this.#forget(delivery);
    this.#waiting.length = 0;
    this.#inFlight.clear();
    this.#kept.sessions.delete(this.clientId);
  }

  /** Sends the message or lets it wait. QoS 0 never waits for a connection. */
  deliver(message: Message): void {
    const delivery: Delivery = { order: ++this.#order, message, sentBefore: false };
    if (message.qos === 0) {
      if (this.receiver?.mayReceive(message.topic) === true) this.receiver.send(delivery);
      return;
    }
    if (this.receiver === undefined && !this.isPersistent) return;
    if (this.#waiting.length >= this.#waitingMax) {
      const oldest = this.#waiting.shift();
      if (oldest !== undefined) this.#forget(oldest);
      this.dropped++;
    }
    this.#waiting.push(delivery);
    if (this.isPersistent) this.#kept.deliveries.set(this.#key(delivery), toStored(message));
    this.pump();
  }

  /** After a connection resumed: what was sent and not acknowledged goes first, as duplicates. */
  resume(): void {
    for (const [packetId, delivery] of this.#inFlight) {
      if (isExpired(delivery.message, this.#clock.now())) {
        this.#inFlight.delete(packetId);
        this.#forget(delivery);
      } else this.receiver?.send(delivery);
    }
    this.pump();
  }

  /** Sends what waits, as far as the client's window goes. */
  pump(): void {
    while (this.receiver !== undefined && this.#inFlight.size < this.receiver.windowMax) {
      const delivery = this.#waiting[0];
      if (delivery === undefined) return;
      if (
        isExpired(delivery.message, this.#clock.now()) ||
        !this.receiver.mayReceive(delivery.message.topic)
      ) {
        this.#waiting.shift();
        this.#forget(delivery);
        continue;
      }
      // Noted before it goes: over an in-memory link the acknowledgement comes within `send`.
      const packetId = this.#freePacketId();
      delivery.packetId = packetId;
      this.#waiting.shift();
      this.#inFlight.set(packetId, delivery);
      if (this.isPersistent)
        this.#kept.deliveries.set(this.#key(delivery), { ...toStored(delivery.message), packetId });
      if (!this.receiver.send(delivery)) {
        this.#inFlight.delete(packetId);
        delete delivery.packetId;
        this.#waiting.unshift(delivery);
        return;
      }
      delivery.sentBefore = true;
    }
  }

  acknowledge(packetId: number): void {
    const delivery = this.#inFlight.get(packetId);
    if (delivery === undefined) return;
    this.#inFlight.delete(packetId);
    this.#forget(delivery);
    this.pump();
  }

  #forget(delivery: Delivery): void {
    this.#kept.deliveries.delete(this.#key(delivery));
  }

  #key(delivery: Delivery): string {
    return SessionStore.key(this.clientId, delivery.order);
  }

  /** At most `windowMax` are taken, so one of 65,535 is always free. */
  #freePacketId(): number {
    do this.#packetId = (this.#packetId % 0xffff) + 1;
    while (this.#inFlight.has(this.#packetId));
    return this.#packetId;
  }
}
