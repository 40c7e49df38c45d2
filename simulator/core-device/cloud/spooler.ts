import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { MessageFields } from "../ports.ts";
import type { DiskSpool, Spooled } from "./disk-spool.ts";
import type { SpoolSettings } from "./spool-settings.ts";

/** Between tries of a message that a connected broker did not take. */
const RETRY_MS = 1000;

/** Why a message was not taken; the caller is told. */
export class SpoolerError extends Error {
  override readonly name = "SpoolerError";
}

/** `order` is when it was taken: what comes back takes its place again. */
interface Message extends Spooled {
  tries: number;
}

/** Messages to IoT Core wait here while the device is offline, first in first out; in memory, and on the disk if asked. */
export class Spooler {
  readonly #clock: Clock;
  readonly #publish: (message: Spooled) => Promise<void>;
  readonly #settings: () => SpoolSettings;
  #disk: DiskSpool | undefined;
  #queue: Message[] = [];
  #bytes = 0;
  #inFlight = 0;
  #taken = 0;
  #online = false;

  constructor(clock: Clock, publish: (message: Spooled) => Promise<void>, settings: () => SpoolSettings) {
    this.#clock = clock;
    this.#publish = publish;
    this.#settings = settings;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get isOnDisk(): boolean {
    return this.#disk !== undefined;
  }

  /** From now on messages are on the disk too. What waited there goes before what waits here, as far as there is room. */
  keepOnDisk(disk: DiskSpool, kept: readonly Spooled[]): void {
    this.#disk = disk;
    const younger = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    this.#taken = Math.max(this.#taken, ...kept.map(({ order }) => order + 1));
    for (const message of kept) this.#take({ ...message, tries: 0 });
    for (const { order: _, ...message } of younger) {
      const again = { ...message, order: this.#taken++ };
      if (this.#take(again)) disk.add(again);
    }
    this.#drain();
  }

  /** In memory alone again. */
  async leaveDisk(): Promise<void> {
    const disk = this.#disk;
    this.#disk = undefined;
    await disk?.discard();
  }

  /** Takes the message, or throws `SpoolerError`. Delivery comes later. */
  add(topic: string, payload: Uint8Array, qos: 0 | 1, fields?: MessageFields): void {
    const { messageBytesMax, bytesMax, keepQos0WhenOffline } = this.#settings();
    const bytes = payload.byteLength;
    checkTopic(topic);
    if (bytes > messageBytesMax)
      throw new SpoolerError(
        `the message has ${bytes} bytes, IoT Core takes ${messageBytesMax}; send less at once`,
      );
    if (bytes > bytesMax) throw new SpoolerError("Message is larger than the size of message spool.");
    if (!this.#online && qos === 0 && !keepQos0WhenOffline)
      throw new SpoolerError("Device is offline. Dropping QoS 0 message.");
    if (this.#bytes + bytes > bytesMax) this.#dropQos0(() => this.#bytes + bytes > bytesMax);
    const order = this.#taken;
    const message = { topic, payload, qos, order, tries: 0, ...(fields === undefined ? {} : { fields }) };
    if (!this.#take(message)) throw new SpoolerError("Message spool is full. Message could not be added.");
    this.#taken++;
    this.#disk?.add(message);
    this.#drain();
  }

  /** Resolves when what was taken so far is as safe as it becomes. */
  async synced(): Promise<void> {
    await this.#disk?.synced();
  }

  online(): void {
    this.#online = true;
    this.#drain();
  }

  /** QoS 0 does not outlive the connection, unless it is to. */
  offline(): void {
    this.#online = false;
    if (!this.#settings().keepQos0WhenOffline) this.#dropQos0(() => true);
  }

  #take(message: Message): boolean {
    const bytes = message.payload.byteLength;
    if (this.#bytes + bytes > this.#settings().bytesMax) return false;
    this.#queue.push(message);
    this.#bytes += bytes;
    return true;
  }

  /** The oldest first, for as long as it has to be. */
  #dropQos0(hasTo: () => boolean): void {
    this.#queue = this.#queue.filter((message) => {
      if (message.qos === 1 || !hasTo()) return true;
      this.#forget(message);
      return false;
    });
  }

  #forget(message: Message): void {
    this.#bytes -= message.payload.byteLength;
    this.#disk?.remove(message.order);
  }

  #drain(): void {
    while (this.#online && this.#inFlight < this.#settings().inFlightMax) {
      const message = this.#queue.shift();
      if (message === undefined) return;
      this.#inFlight++;
      void this.#send(message).finally(() => {
        this.#inFlight--;
        this.#drain();
      });
    }
  }

  async #send(message: Message): Promise<void> {
    try {
      await this.#publish(message);
      this.#forget(message);
    } catch (failure) {
      message.tries++;
      const { retriesMax, keepQos0WhenOffline } = this.#settings();
      const refused = /not.?authori[sz]ed|invalid|too.?large/i.test(messageOf(failure));
      const isPastUse = message.qos === 0 && !this.#online && !keepQos0WhenOffline;
      if (refused || message.tries > retriesMax || isPastUse) {
        this.#forget(message);
        return;
      }
      // Several were in flight: the last to fail is not the first to go again.
      const later = this.#queue.findIndex(({ order }) => order > message.order);
      this.#queue.splice(later < 0 ? this.#queue.length : later, 0, message);
      if (this.#online) await this.#clock.sleep(RETRY_MS);
    }
  }
}

/** IoT Core's limits on a topic to publish to. */
function checkTopic(topic: string): void {
  if (/[+#]/.test(topic)) throw new SpoolerError(`the topic "${topic}" has a wildcard; publish to one topic`);
  const counted = topic.replace(/^\$aws\/rules\/[^/]*\//, "").replace(/^\$share\/[^/]*\//, "");
  if (counted.split("/").length > 8 || Buffer.byteLength(counted) > (topic.startsWith("$") ? 512 : 256))
    throw new SpoolerError(`the topic "${topic}" is too long; IoT Core takes 8 levels and 256 bytes`);
}
