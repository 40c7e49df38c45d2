import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";

/** The nucleus's own defaults. */
export const SPOOL_BYTES_MAX = 2_621_440;
export const IN_FLIGHT_MAX = 5;
export const PUBLISH_RETRIES_MAX = 100;
export const MESSAGE_BYTES_MAX = 131_072;
/** Between tries of a message that a connected broker did not take. */
const RETRY_MS = 1000;

/** Why a message was not taken; the caller is told. */
export class SpoolerError extends Error {
  override readonly name = "SpoolerError";
}

interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  /** When it was taken: what comes back takes its place again. */
  readonly order: number;
  tries: number;
}

/** Messages to IoT Core wait here while the device is offline, in memory, first in first out. */
export class Spooler {
  readonly #clock: Clock;
  readonly #publish: (topic: string, payload: Uint8Array, qos: 0 | 1) => Promise<void>;
  #queue: Message[] = [];
  #bytes = 0;
  #inFlight = 0;
  #taken = 0;
  #online = false;

  constructor(clock: Clock, publish: (topic: string, payload: Uint8Array, qos: 0 | 1) => Promise<void>) {
    this.#clock = clock;
    this.#publish = publish;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes the message, or throws `SpoolerError`. Delivery comes later. */
  add(topic: string, payload: Uint8Array, qos: 0 | 1): void {
    checkTopic(topic);
    if (payload.byteLength > MESSAGE_BYTES_MAX)
      throw new SpoolerError(
        `the message has ${payload.byteLength} bytes, IoT Core takes ${MESSAGE_BYTES_MAX}; send less at once`,
      );
    if (!this.#online && qos === 0) throw new SpoolerError("Device is offline. Dropping QoS 0 message.");
    const bytes = payload.byteLength;
    if (this.#bytes + bytes > SPOOL_BYTES_MAX) this.#makeRoom(bytes);
    if (this.#bytes + bytes > SPOOL_BYTES_MAX)
      throw new SpoolerError("Message spool is full. Message could not be added.");
    this.#queue.push({ topic, payload, qos, order: this.#taken++, tries: 0 });
    this.#bytes += bytes;
    this.#drain();
  }

  online(): void {
    this.#online = true;
    this.#drain();
  }

  /** QoS 0 does not outlive the connection. */
  offline(): void {
    this.#online = false;
    for (const message of this.#queue) if (message.qos === 0) this.#bytes -= message.payload.byteLength;
    this.#queue = this.#queue.filter((message) => message.qos === 1);
  }

  #makeRoom(bytes: number): void {
    this.#queue = this.#queue.filter((message) => {
      if (message.qos === 1 || this.#bytes + bytes <= SPOOL_BYTES_MAX) return true;
      this.#bytes -= message.payload.byteLength;
      return false;
    });
  }

  #drain(): void {
    while (this.#online && this.#inFlight < IN_FLIGHT_MAX) {
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
      await this.#publish(message.topic, message.payload, message.qos);
      this.#bytes -= message.payload.byteLength;
    } catch (failure) {
      message.tries++;
      const refused = /not.?authori[sz]ed|invalid|too.?large/i.test(messageOf(failure));
      if (refused || message.tries > PUBLISH_RETRIES_MAX || (message.qos === 0 && !this.#online)) {
        this.#bytes -= message.payload.byteLength;
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
