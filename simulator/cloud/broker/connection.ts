import type { Clock, Link } from "@coalmine/ports";
import type { IConnackPacket, IPublishPacket, Packet } from "mqtt-packet";
import { type ConnectRefusal, type ConnectRequest, connectRequest } from "./connect-request.ts";
import type { BrokerLimits } from "./limits.ts";
import { isExpired, type Message, publishProperties } from "./message.ts";
import { PacketReader, packetBytes } from "./packet-stream.ts";
import type { DisconnectReason, MqttAction, Peer } from "./peer.ts";
import type { Delivery, Receiver, Session } from "./session.ts";
import { acknowledgeSubscribe, acknowledgeUnsubscribe } from "./subscribing.ts";
import { topicFault } from "./topic.ts";

/** What a connection asks of its broker. */
export interface BrokerSide {
  readonly clock: Clock;
  readonly limits: BrokerLimits;
  allows(connection: Connection, action: MqttAction, resource: string): boolean;
  /** Whether a fault takes the acknowledgement away. */
  losesReply(connection: Connection, operation: "Publish" | "Subscribe"): boolean;
  attach(connection: Connection, request: ConnectRequest): { session: Session; present: boolean };
  detach(connection: Connection, reason: DisconnectReason, sendWill: boolean): void;
  subscribed(session: Session, filter: string): void;
  unsubscribed(session: Session, filter: string): void;
  sendRetained(session: Session, filter: string, qos: 0 | 1): void;
  /** Resolves when what the message caused is durable. */
  take(connection: Connection, message: Message): Promise<void>;
  /** Resolves when all that was set before is durable. */
  durable(): Promise<void>;
  /** Why nothing may be retained now. */
  retainFault(message: Message): string | undefined;
}

/** One client over one link: MQTT 3.1.1 or 5 as its CONNECT says. */
export class Connection implements Receiver {
  readonly peer: Peer;
  clientId = "";
  session: Session | undefined;
  request: ConnectRequest | undefined;
  readonly #broker: BrokerSide;
  readonly #link: Link;
  readonly #reader: PacketReader;
  readonly #aliases = new Map<number, string>();
  #heardAtMs: number;
  #unsentBytes = 0;
  #unacknowledged = 0;
  /** The second that runs, and what the client has published in it. */
  #secondFromMs = 0;
  #inSecond = 0;
  #ended = false;

  constructor(broker: BrokerSide, link: Link, peer: Peer) {
    this.#broker = broker;
    this.#link = link;
    this.peer = peer;
    this.#heardAtMs = broker.clock.monotonicMs();
    this.#reader = new PacketReader(
      broker.limits.packetBytesMax,
      (packet) => this.#receive(packet),
      () => this.end("CLIENT_ERROR", 0x81),
    );
    link.onData((bytes) => this.#reader.read(bytes));
    link.onClose(() => this.#closed("CONNECTION_LOST", true));
  }

  get windowMax(): number {
    return this.request?.receiveMaximum ?? 0;
  }

  /** On the monotonic clock: by then the client must have sent something. */
  get deadlineMs(): number {
    const patienceMs =
      this.request === undefined
        ? this.#broker.limits.connectTimeoutMs
        : this.request.keepAliveSeconds * 1500;
    return this.#heardAtMs + patienceMs;
  }

  mayReceive(topic: string): boolean {
    return this.#broker.allows(this, "receive", topic);
  }

  send({ message, packetId, sentBefore }: Delivery): boolean {
    if (this.#unsentBytes > this.#broker.limits.unsentBytesMax) return false;
    const now = this.#broker.clock.now();
    if (packetId === undefined && isExpired(message, now)) return true;
    const bytes = this.#bytes({
      cmd: "publish",
      topic: message.topic,
      payload: Buffer.from(message.payload.buffer, message.payload.byteOffset, message.payload.byteLength),
      qos: message.qos,
      dup: sentBefore,
      retain: message.retain,
      ...(packetId === undefined ? {} : { messageId: packetId }),
      properties: {
        ...message.properties,
        ...(message.expiresAt === undefined
          ? {}
          : { messageExpiryInterval: Math.max(1, Math.ceil((message.expiresAt - now) / 1000)) }),
      },
    });
    // A packet larger than the client takes counts as delivered [MQTT-3.1.2-25].
    if (bytes.length > (this.request?.packetBytesMax ?? 0)) {
      if (packetId !== undefined) queueMicrotask(() => this.session?.acknowledge(packetId));
      return true;
    }
    this.#write(bytes);
    return true;
  }

  /** Ends the connection from our side; an MQTT 5 client is told the code. The will goes out. */
  end(reason: DisconnectReason, reasonCode: number, sendWill = true): void {
    if (this.#ended) return;
    if (this.request?.protocolVersion === 5) this.#put({ cmd: "disconnect", reasonCode });
    this.#closed(reason, sendWill);
    this.#link.close().catch(ignore);
  }

  /** Ends the connection as a network does that fails. */
  lose(): void {
    this.#closed("CONNECTION_LOST", true);
    this.#link.close().catch(ignore);
  }

  #closed(reason: DisconnectReason, sendWill: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reader.stop();
    this.#broker.detach(this, reason, sendWill);
  }

  #receive(packet: Packet): void {
    if (this.#ended) return;
    this.#heardAtMs = this.#broker.clock.monotonicMs();
    const { session, request } = this;
    if (session === undefined || request === undefined) {
      if (packet.cmd === "connect") this.#connect(connectRequest(packet, this.#broker.limits));
      else this.end("CLIENT_ERROR", 0x82);
      return;
    }
    switch (packet.cmd) {
      case "publish":
        this.#publish(packet);
        return;
      case "puback":
        session.acknowledge(packet.messageId ?? 0);
        return;
      case "subscribe": {
        const answer = acknowledgeSubscribe(this, session, this.#broker, request.protocolVersion, packet);
        if ("end" in answer) this.end(answer.end, answer.reasonCode);
        else
          this.#whenDurable(() => {
            if (!this.#broker.losesReply(this, "Subscribe")) this.#put(answer.suback);
            for (const { filter, qos } of answer.retainedFor) this.#broker.sendRetained(session, filter, qos);
          });
        return;
      }
      case "unsubscribe": {
        // Without a filter it is a protocol error [MQTT-3.10.3-2], and there is nothing to acknowledge.
        if (packet.unsubscriptions.length === 0) {
          this.end("CLIENT_ERROR", 0x82);
          return;
        }
        const unsuback = acknowledgeUnsubscribe(session, this.#broker, packet);
        this.#whenDurable(() => this.#put(unsuback));
        return;
      }
      case "pingreq":
        this.#put({ cmd: "pingresp" });
        return;
      case "disconnect":
        this.#disconnect(session, packet.reasonCode ?? 0, packet.properties?.sessionExpiryInterval);
        return;
      case "connect":
      case "connack":
      case "suback":
      case "unsuback":
      case "pingresp":
      case "auth":
      case "pubrec":
      case "pubrel":
      case "pubcomp":
        this.end("CLIENT_ERROR", 0x82);
        return;
      default:
        this.end("CLIENT_ERROR", 0x81);
    }
  }

  /** An acknowledgement promises that what it acknowledges outlives this process. */
  #whenDurable(acknowledge: () => void): void {
    this.#broker.durable().then(
      () => {
        if (!this.#ended) acknowledge();
      },
      () => this.end("SERVER_ERROR", 0x80),
    );
  }

  #connect(request: ConnectRequest | ConnectRefusal): void {
    if ("why" in request) {
      this.#refuse(request);
      return;
    }
    const chosen = `auto-${this.#broker.clock.now()}-${++chosenIds}`;
    this.clientId = request.clientId === "" ? chosen : request.clientId;
    const denied =
      !this.#broker.allows(this, "connect", this.clientId) ||
      (request.will !== undefined &&
        (!this.#broker.allows(this, "publish", request.will.message.topic) ||
          (request.will.message.retain && !this.#broker.allows(this, "retain", request.will.message.topic))));
    if (denied) {
      this.request = request;
      this.#refuse({ reasonCode: 0x87, returnCode: 5, why: "no policy allows this connection" });
      return;
    }
    this.request = request;
    const { session, present } = this.#broker.attach(this, request);
    this.session = session;
    this.#put(this.#connack(request, present));
    if (present) session.resume();
  }

  #connack(request: ConnectRequest, sessionPresent: boolean): IConnackPacket {
    if (request.protocolVersion === 4) return { cmd: "connack", returnCode: 0, sessionPresent };
    const { limits } = this.#broker;
    return {
      cmd: "connack",
      reasonCode: 0,
      sessionPresent,
      properties: {
        sessionExpiryInterval: request.sessionExpirySeconds,
        receiveMaximum: limits.receiveMaximum,
        maximumQoS: 1,
        retainAvailable: true,
        maximumPacketSize: limits.packetBytesMax,
        topicAliasMaximum: limits.topicAliasMaximum,
        wildcardSubscriptionAvailable: true,
        subscriptionIdentifiersAvailable: false,
        sharedSubscriptionAvailable: true,
        serverKeepAlive: request.keepAliveSeconds,
        ...(request.clientId === "" ? { assignedClientIdentifier: this.clientId } : {}),
      },
    };
  }

  #refuse(refusal: ConnectRefusal): void {
    const { reasonCode, returnCode } = refusal;
    const version = returnCode === 1 ? 4 : (this.request?.protocolVersion ?? 5);
    this.request = undefined;
    this.#write(
      packetBytes(
        version === 5
          ? { cmd: "connack", reasonCode, sessionPresent: false, properties: { reasonString: refusal.why } }
          : { cmd: "connack", returnCode, sessionPresent: false },
        version,
      ),
    );
    this.end("FORBIDDEN_ACCESS", reasonCode, false);
  }

  #publish(packet: IPublishPacket): void {
    const properties = publishProperties(packet.properties);
    if (properties === undefined) return this.end("CLIENT_ERROR", 0x82);
    const { topicAlias, messageExpiryInterval, ...carried } = properties;
    if (packet.qos === 2) return this.end("CLIENT_ERROR", 0x9b);
    const topic = this.#unalias(packet.topic, topicAlias);
    if (topic === undefined) return this.end("CLIENT_ERROR", 0x94);
    if (topicFault(topic, this.#broker.limits) !== undefined) return this.end("CLIENT_ERROR", 0x90);
    const payload = Buffer.from(packet.payload);
    if (payload.length > this.#broker.limits.payloadBytesMax) return this.end("CLIENT_ERROR", 0x95);
    const messageId = packet.messageId ?? 0;
    if (packet.qos === 1 && (messageId < 1 || messageId > 0xffff)) return this.end("CLIENT_ERROR", 0x81);
    if (this.#isOverRate()) {
      // MQTT 5 has a word for it; a client of 3.1.1 finds out by the acknowledgement that does not come.
      if (packet.qos === 1 && this.request?.protocolVersion === 5)
        this.#put({ cmd: "puback", messageId, reasonCode: 0x97 });
      return undefined;
    }
    const message: Message = {
      topic,
      payload,
      qos: packet.qos,
      retain: packet.retain,
      properties: carried,
      expiresAt:
        messageExpiryInterval === undefined
          ? undefined
          : this.#broker.clock.now() + messageExpiryInterval * 1000,
    };
    const allowed =
      this.#broker.allows(this, "publish", topic) &&
      (!message.retain || this.#broker.allows(this, "retain", topic));
    if (!allowed) return this.#refusePublish(packet.qos, messageId, 0x87, "FORBIDDEN_ACCESS");
    if (this.#broker.retainFault(message) !== undefined)
      return this.#refusePublish(packet.qos, messageId, 0x97, "CLIENT_ERROR");
    if (packet.qos === 1 && ++this.#unacknowledged > this.#broker.limits.receiveMaximum)
      return this.end("CLIENT_ERROR", 0x93);
    this.#broker.take(this, message).then(
      () => {
        if (packet.qos === 0 || this.#ended) return;
        // The client counts it as unacknowledged too.
        if (this.#broker.losesReply(this, "Publish")) return;
        this.#unacknowledged--;
        this.#put({ cmd: "puback", messageId, reasonCode: 0 });
      },
      () => this.end("SERVER_ERROR", 0x80),
    );
  }

  #isOverRate(): boolean {
    const nowMs = this.#broker.clock.monotonicMs();
    if (nowMs - this.#secondFromMs >= 1000) {
      this.#secondFromMs = nowMs;
      this.#inSecond = 0;
    }
    return ++this.#inSecond > this.#broker.limits.publishesPerSecondMax;
  }

  #refusePublish(qos: 0 | 1, messageId: number, reasonCode: number, reason: DisconnectReason): void {
    if (qos === 1 && this.request?.protocolVersion === 5) this.#put({ cmd: "puback", messageId, reasonCode });
    else this.end(reason, reasonCode);
  }

  /** The topic that an alias stands for; undefined where there is none. */
  #unalias(topic: string, alias: number | undefined): string | undefined {
    if (alias === undefined) return topic;
    if (alias > this.#broker.limits.topicAliasMaximum) return undefined;
    if (topic === "") return this.#aliases.get(alias);
    this.#aliases.set(alias, topic);
    return topic;
  }

  #disconnect(session: Session, reasonCode: number, expirySeconds: unknown): void {
    if (typeof expirySeconds === "number") {
      // A session that was to end with its connection cannot be kept by its DISCONNECT [MQTT-3.1.2-23].
      if (expirySeconds > 0 && !session.isPersistent) return this.end("CLIENT_ERROR", 0x82);
      session.expirySeconds = Math.min(expirySeconds, this.#broker.limits.sessionExpirySecondsMax);
    }
    this.#closed("CLIENT_INITIATED_DISCONNECT", reasonCode === 0x04);
    this.#link.close().catch(ignore);
  }

  #bytes(packet: Packet): Uint8Array {
    return packetBytes(packet, this.request?.protocolVersion ?? 4);
  }

  #put(packet: Packet): void {
    if (!this.#ended) this.#write(this.#bytes(packet));
  }

  #write(bytes: Uint8Array): void {
    const wasFull = (): boolean => this.#unsentBytes > this.#broker.limits.unsentBytesMax;
    this.#unsentBytes += bytes.length;
    this.#link.write(bytes).then(
      () => {
        const full = wasFull();
        this.#unsentBytes -= bytes.length;
        if (full && !wasFull() && !this.#ended) this.session?.pump();
      },
      () => this.#closed("CONNECTION_LOST", true),
    );
  }
}

// Only makes chosen client ids of one instant differ; nothing depends on its value.
let chosenIds = 0;

function ignore(): void {
  // A link that is already closed cannot be closed: that is what was wanted.
}
