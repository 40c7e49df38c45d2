import type { Link } from "@coalmine/ports";
import type { IConnectPacket, IPublishPacket, Packet } from "mqtt-packet";
import { generate, parser } from "mqtt-packet";

/**
 * A bare MQTT client over any link: it says what it is told to and keeps what it hears, so that a test or a hosted
 * device decides itself when to acknowledge.
 */
export class BareClient {
  readonly received: Packet[] = [];
  closed = false;
  /** Acknowledges QoS 1 messages by itself. */
  acknowledges = true;
  readonly #link: Link;
  readonly #version: 4 | 5;
  readonly #listeners = new Set<(packet: Packet) => void>();
  #messageId = 0;

  constructor(link: Link, version: 4 | 5 = 5) {
    this.#link = link;
    this.#version = version;
    const reader = parser({ protocolVersion: version });
    reader.on("packet", (packet) => this.#hear(packet));
    link.onData((bytes) => reader.parse(Buffer.from(bytes)));
    link.onClose(() => {
      this.closed = true;
    });
  }

  get messages(): IPublishPacket[] {
    return this.received.filter((packet): packet is IPublishPacket => packet.cmd === "publish");
  }

  get payloads(): string[] {
    return this.messages.map((message) => message.payload.toString());
  }

  send(packet: Packet): void {
    this.#link.write(generate(packet, { protocolVersion: this.#version })).catch(() => {
      this.closed = true;
    });
  }

  connect(clientId: string, options: Partial<IConnectPacket> = {}): void {
    this.send({
      cmd: "connect",
      clientId,
      protocolId: "MQTT",
      protocolVersion: this.#version,
      clean: true,
      keepalive: 60,
      ...options,
    });
  }

  subscribe(...filters: string[]): void {
    const messageId = this.#nextId();
    this.send({
      cmd: "subscribe",
      messageId,
      subscriptions: filters.map((topic) => ({ topic, qos: 1 as const, nl: false, rap: false, rh: 0 })),
    });
  }

  publish(topic: string, payload: string | Buffer, options: Partial<IPublishPacket> = {}): void {
    const qos = options.qos ?? 1;
    this.send({
      cmd: "publish",
      topic,
      payload,
      dup: false,
      retain: false,
      ...(qos > 0 ? { messageId: this.#nextId() } : {}),
      ...options,
      qos,
    });
  }

  onPacket(listener: (packet: Packet) => void): void {
    this.#listeners.add(listener);
  }

  hangUp(): Promise<void> {
    return this.#link.close();
  }

  #hear(packet: Packet): void {
    this.received.push(packet);
    if (packet.cmd === "publish" && packet.qos === 1 && this.acknowledges)
      this.send({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 });
    for (const listener of this.#listeners) listener(packet);
  }

  #nextId(): number {
    this.#messageId = (this.#messageId % 0xffff) + 1;
    return this.#messageId;
  }
}
