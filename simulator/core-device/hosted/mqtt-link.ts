import type { Clock, Link, Random, Timer } from "@coalmine/ports";
import { fullJitter, messageOf } from "@coalmine/runtime";
import { generate, parser, type IPublishPacket, type Packet } from "mqtt-packet";
import type { CloudLink, MessageFields } from "../ports.ts";

const KEEP_ALIVE_SECONDS = 60;
const SESSION_EXPIRY_SECONDS = 604_800;
const RECEIVE_MAXIMUM = 100;
/** No answer to CONNECT, to a ping or to an operation takes longer. */
const ANSWER_MS = 30_000;
const BACKOFF = { firstMs: 1000, maxMs: 120_000 };
const PACKET_ID_MAX = 0xffff;

interface HostedLinkOptions {
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** A new byte stream to the broker; rejects while there is no network. */
  readonly open: () => Promise<Link>;
}

type Handlers = Parameters<CloudLink["start"]>[0];
interface Waiting {
  readonly answered: (packet: Packet) => void;
  readonly failed: (failure: Error) => void;
  readonly timer: Timer;
}

/** MQTT 5 over any byte stream, on the clock that is handed in: small enough for a thousand devices in one process. */
export class HostedMqttLink implements CloudLink {
  readonly #options: HostedLinkOptions;
  #handlers: Handlers | undefined;
  #link: Link | undefined;
  #isFirst = true;
  #isStopped = false;
  #isConnected = false;
  #packetId = 0;
  #backoff: Generator<number, never>;
  #writtenMs = 0;
  #heardMs = 0;
  #keepAlive: Timer | undefined;
  #retry: Timer | undefined;
  readonly #waiting = new Map<number, Waiting>();

  constructor(options: HostedLinkOptions) {
    this.#options = options;
    this.#backoff = fullJitter(BACKOFF, options.random);
  }

  start(handlers: Handlers): void {
    this.#handlers = handlers;
    void this.#connect();
  }

  async publish(topic: string, payload: Uint8Array, qos: 0 | 1, fields?: MessageFields): Promise<void> {
    const packet: IPublishPacket = {
      cmd: "publish",
      topic,
      payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
      qos,
      dup: false,
      retain: fields?.retain ?? false,
      ...(fields === undefined ? {} : { properties: packetProperties(fields) }),
    };
    if (qos === 0) {
      await this.#write(packet);
      return;
    }
    const answer = await this.#ask((messageId) => ({ ...packet, messageId }));
    if (answer.cmd === "puback" && (answer.reasonCode ?? 0) >= 0x80)
      throw new Error(`${reasonName(answer.reasonCode ?? 0)}: publish to "${topic}" was refused`);
  }

  async subscribe(topicFilter: string, qos: 0 | 1): Promise<void> {
    const answer = await this.#ask((messageId) => ({
      cmd: "subscribe",
      messageId,
      subscriptions: [{ topic: topicFilter, qos, nl: false, rap: false, rh: 0 }],
    }));
    const granted = answer.cmd === "suback" ? answer.granted[0] : undefined;
    const code = typeof granted === "number" ? granted : 0x80;
    if (code >= 0x80) throw new Error(`${reasonName(code)}: subscription to "${topicFilter}" was refused`);
  }

  async unsubscribe(topicFilter: string): Promise<void> {
    await this.#ask((messageId) => ({ cmd: "unsubscribe", messageId, unsubscriptions: [topicFilter] }));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    const link = this.#link;
    if (link === undefined) return;
    if (this.#isConnected) await this.#write({ cmd: "disconnect", reasonCode: 0 }).catch(() => undefined);
    this.#down(link, "stopped");
    await link.close();
  }

  async #connect(): Promise<void> {
    const { open, clientId, clock } = this.#options;
    let link: Link;
    try {
      link = await open();
    } catch (failure) {
      this.#handlers?.disconnected(messageOf(failure));
      this.#tryLater();
      return;
    }
    if (this.#isStopped) {
      await link.close();
      return;
    }
    this.#link = link;
    const reader = parser({ protocolVersion: 5 });
    reader.on("packet", (packet) => this.#hear(link, packet));
    reader.on("error", (error: unknown) => this.#fail(link, messageOf(error)));
    link.onClose((why) => this.#down(link, why.by === "us" ? "closed" : why.reason));
    link.onData((bytes) => {
      if (this.#link === link) reader.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    });
    // Nothing is heard yet: the connection is given up when the answer to CONNECT does not come.
    this.#keepAlive = clock.timer(ANSWER_MS, () => this.#fail(link, "the broker does not answer"));
    const clean = this.#isFirst;
    await this.#write({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 5,
      clientId,
      clean,
      keepalive: KEEP_ALIVE_SECONDS,
      properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS, receiveMaximum: RECEIVE_MAXIMUM },
    }).catch((failure: unknown) => this.#fail(link, messageOf(failure)));
  }

  #hear(link: Link, packet: Packet): void {
    if (this.#link !== link) return;
    this.#heardMs = this.#options.clock.monotonicMs();
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- a client at QoS 0 and 1 is sent no others.
    switch (packet.cmd) {
      case "connack": {
        const code = packet.reasonCode ?? packet.returnCode ?? 0;
        if (code !== 0) return this.#fail(link, `refused: ${reasonName(code)}`);
        this.#keepAlive?.cancel();
        this.#isFirst = false;
        this.#isConnected = true;
        this.#backoff = fullJitter(BACKOFF, this.#options.random);
        this.#stayAlive(link);
        return this.#handlers?.connected(packet.sessionPresent);
      }
      case "publish": {
        if (packet.qos === 1)
          void this.#write({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 }).catch(
            () => undefined,
          );
        const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
        return this.#handlers?.message(packet.topic, payload, fieldsOf(packet));
      }
      case "puback":
      case "suback":
      case "unsuback":
        return this.#answered(packet);
      case "disconnect":
        return this.#fail(link, reasonName(packet.reasonCode ?? 0));
      default:
        // PINGRESP was heard; nothing else comes to a client at QoS 0 and 1.
        return undefined;
    }
  }

  #answered(packet: Packet): void {
    const waiting = this.#waiting.get(packet.messageId ?? 0);
    if (waiting === undefined) return;
    this.#waiting.delete(packet.messageId ?? 0);
    waiting.timer.cancel();
    waiting.answered(packet);
  }

  /** Pings when the line was silent, and gives it up when the ping is not answered. */
  #stayAlive(link: Link): void {
    const { clock } = this.#options;
    const silentMs = (): number => clock.monotonicMs() - Math.min(this.#writtenMs, this.#heardMs);
    this.#keepAlive = clock.timer(KEEP_ALIVE_SECONDS * 1000 - silentMs(), () => {
      // What was written and answered meanwhile told both sides as much as a ping does.
      if (silentMs() < KEEP_ALIVE_SECONDS * 1000) return this.#stayAlive(link);
      const pingedMs = clock.monotonicMs();
      void this.#write({ cmd: "pingreq" }).catch((failure: unknown) => this.#fail(link, messageOf(failure)));
      this.#keepAlive = clock.timer(ANSWER_MS, () => {
        if (this.#heardMs < pingedMs) this.#fail(link, "the broker does not answer pings");
        else this.#stayAlive(link);
      });
    });
  }

  #ask(packetOf: (messageId: number) => Packet): Promise<Packet> {
    return new Promise((answered, failed) => {
      if (!this.#isConnected) {
        failed(new Error("the device is offline"));
        return;
      }
      do this.#packetId = (this.#packetId % PACKET_ID_MAX) + 1;
      while (this.#waiting.has(this.#packetId));
      const messageId = this.#packetId;
      const timer = this.#options.clock.timer(ANSWER_MS, () => {
        this.#waiting.delete(messageId);
        failed(new Error("the broker does not answer"));
      });
      this.#waiting.set(messageId, { answered, failed, timer });
      // Should the write fail, the link goes down, and with it everything that waits.
      void this.#write(packetOf(messageId)).catch(() => undefined);
    });
  }

  async #write(packet: Packet): Promise<void> {
    if (this.#link === undefined) throw new Error("the device is offline");
    this.#writtenMs = this.#options.clock.monotonicMs();
    await this.#link.write(generate(packet, { protocolVersion: 5 }));
  }

  #fail(link: Link, why: string): void {
    if (this.#link !== link) return;
    this.#down(link, why);
    void link.close();
  }

  #down(link: Link, why: string): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#isConnected = false;
    this.#keepAlive?.cancel();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { failed, timer } of waiting) {
      timer.cancel();
      failed(new Error(`the connection went down: ${why}`));
    }
    this.#handlers?.disconnected(why);
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#isStopped) return;
    this.#retry = this.#options.clock.timer(this.#backoff.next().value, () => void this.#connect());
  }
}

type Properties = NonNullable<IPublishPacket["properties"]>;

function packetProperties(fields: MessageFields): Properties {
  const { payloadFormat, userProperties, messageExpiryIntervalSeconds, correlationData } = fields;
  const { responseTopic, contentType } = fields;
  return {
    payloadFormatIndicator: payloadFormat === "1",
    ...(userProperties === undefined ? {} : { userProperties: byName(userProperties) }),
    ...(messageExpiryIntervalSeconds === undefined
      ? {}
      : { messageExpiryInterval: messageExpiryIntervalSeconds }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData, "base64") }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

function byName(pairs: readonly { readonly key: string; readonly value: string }[]) {
  const values: Record<string, string[]> = {};
  for (const { key, value } of pairs) (values[key] ??= []).push(value);
  return values;
}

function fieldsOf({ retain, properties = {} }: IPublishPacket): MessageFields {
  const { payloadFormatIndicator, userProperties, messageExpiryInterval, correlationData } = properties;
  const { responseTopic, contentType } = properties;
  return {
    retain,
    payloadFormat: payloadFormatIndicator === true ? "1" : "0",
    ...(userProperties === undefined
      ? {}
      : {
          userProperties: Object.entries(userProperties).flatMap(([key, values]) =>
            [values].flat().map((value) => ({ key, value })),
          ),
        }),
    ...(messageExpiryInterval === undefined ? {} : { messageExpiryIntervalSeconds: messageExpiryInterval }),
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toString("base64") }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

function reasonName(code: number): string {
  return code === 0x87
    ? "NOT_AUTHORIZED"
    : code === 0x8e
      ? "SESSION_TAKEN_OVER"
      : `reason code 0x${code.toString(16)}`;
}
