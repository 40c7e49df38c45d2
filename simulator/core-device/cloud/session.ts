import type { Clock, Log, Random } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { CloudLink, MessageFields } from "../ports.ts";
import type { SpoolSettings } from "./spool-settings.ts";
import { Spooler } from "./spooler.ts";
import { topicMatches } from "./topic-filter.ts";

/** A subscription that failed on reconnecting is tried again after this, and up to ten seconds more. */
const RESUBSCRIBE_MS = 120_000;
const RESUBSCRIBE_JITTER_MS = 10_000;

type Receive = (topic: string, payload: Uint8Array, fields: MessageFields) => void;
interface Wanted {
  readonly qos: 0 | 1;
  readonly receivers: Set<Receive>;
  confirmed: boolean;
}

interface SessionOptions {
  readonly link: CloudLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** As the nucleus is configured now. */
  readonly spool: () => SpoolSettings;
}

/** The device's standing with IoT Core: what it is subscribed to, over any number of connections, and its spooler. */
export class CloudSession {
  readonly #options: SessionOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #connectedListeners: ((sessionPresent: boolean) => void)[] = [];
  readonly spooler: Spooler;
  #connected = false;
  #stopped = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { link, clock } = options;
    this.spooler = new Spooler(
      clock,
      ({ topic, payload, qos, fields }) => link.publish(topic, payload, qos, fields),
      options.spool,
    );
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** Called after each connection, when the subscriptions stand. */
  onConnected(listener: (sessionPresent: boolean) => void): void {
    this.#connectedListeners.push(listener);
  }

  start(): void {
    const { link, log } = this.#options;
    link.start({
      connected: (sessionPresent) => void this.#onConnected(sessionPresent),
      disconnected: (reason) => {
        if (this.#connected) log.info("disconnected from IoT Core", { reason });
        this.#connected = false;
        this.spooler.offline();
      },
      message: (topic, payload, fields) => this.#dispatch(topic, payload, fields),
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#connected = false;
    await this.#options.link.stop();
  }

  /** For a nucleus that starts anew on the same connection: nobody of before hears anything any more. */
  forget(): void {
    this.#wanted.clear();
    this.#connectedListeners.length = 0;
  }

  /** Subscribes what is wanted now, and tells as after a connection, where there is one. */
  async resume(): Promise<void> {
    if (this.#connected) await this.#onConnected(true);
  }

  /** Subscribed from the next connection on, and from now if there is one, until it is closed. Never fails. */
  want(filter: string, receive: Receive): { close(): Promise<void> } {
    const wanted = this.#add(filter, 1, receive);
    if (this.#connected && !wanted.confirmed) void this.#confirm(filter, wanted);
    return { close: () => this.#drop(filter, receive) };
  }

  /** Resolves when IoT Core has granted it; rejects where it does not, or the device is offline. */
  async subscribe(filter: string, qos: 0 | 1, receive: Receive): Promise<{ close(): Promise<void> }> {
    const wanted = this.#add(filter, qos, receive);
    try {
      if (!wanted.confirmed) {
        if (!this.#connected) throw new Error(`cannot subscribe to "${filter}": the device is offline`);
        await this.#options.link.subscribe(filter, qos);
        wanted.confirmed = true;
      }
    } catch (failure) {
      await this.#drop(filter, receive);
      throw failure;
    }
    return { close: () => this.#drop(filter, receive) };
  }

  /** Resolves at PUBACK. */
  publish(topic: string, payload: string): Promise<void> {
    if (!this.#connected) return Promise.reject(new Error("the device is offline"));
    return this.#options.link.publish(topic, new TextEncoder().encode(payload), 1);
  }

  #add(filter: string, qos: 0 | 1, receive: Receive): Wanted {
    const wanted = this.#wanted.get(filter) ?? { qos, receivers: new Set<Receive>(), confirmed: false };
    this.#wanted.set(filter, wanted);
    wanted.receivers.add(receive);
    return wanted;
  }

  async #drop(filter: string, receive: Receive): Promise<void> {
    const wanted = this.#wanted.get(filter);
    if (wanted === undefined || !wanted.receivers.delete(receive) || wanted.receivers.size > 0) return;
    this.#wanted.delete(filter);
    if (!this.#connected || !wanted.confirmed) return;
    try {
      await this.#options.link.unsubscribe(filter);
    } catch (failure) {
      // The broker forgets with the session; until then its messages match nothing here.
      this.#options.log.debug("could not unsubscribe", { filter, why: messageOf(failure) });
    }
  }

  async #onConnected(sessionPresent: boolean): Promise<void> {
    this.#connected = true;
    if (!sessionPresent) for (const wanted of this.#wanted.values()) wanted.confirmed = false;
    for (const [filter, wanted] of this.#wanted) if (!wanted.confirmed) await this.#confirm(filter, wanted);
    if (!this.#connected) return;
    this.spooler.online();
    for (const listener of this.#connectedListeners) listener(sessionPresent);
  }

  async #confirm(filter: string, wanted: Wanted): Promise<void> {
    const { link, clock, random, log } = this.#options;
    try {
      await link.subscribe(filter, wanted.qos);
      wanted.confirmed = true;
    } catch (failure) {
      if (!this.#connected || this.#stopped) return;
      log.warn("IoT Core refused a subscription", { filter, why: messageOf(failure) });
      clock.timer(RESUBSCRIBE_MS + random.next() * RESUBSCRIBE_JITTER_MS, () => {
        const still = this.#connected && this.#wanted.get(filter) === wanted && !wanted.confirmed;
        if (still) void this.#confirm(filter, wanted);
      });
    }
  }

  #dispatch(topic: string, payload: Uint8Array, fields: MessageFields): void {
    // A copy: a receiver may close its subscription while the message goes round.
    for (const [filter, { receivers }] of Array.from(this.#wanted))
      if (topicMatches(filter, topic))
        for (const receive of Array.from(receivers)) receive(topic, payload, fields);
  }
}
