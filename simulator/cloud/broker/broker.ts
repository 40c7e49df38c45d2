import type { Clock, Instant, Link, Log } from "@coalmine/ports";
import { messageOf, silentLog } from "@coalmine/runtime";
import type { Faults } from "../control/faults.ts";
import { SlowLink } from "../control/slow-link.ts";
import type { CloudEvents } from "../service.ts";
import type { Store } from "../store/store.ts";
import { type BrokerSide, Connection } from "./connection.ts";
import type { ConnectRequest } from "./connect-request.ts";
import { awsLimits, type BrokerLimits } from "./limits.ts";
import { DeadlineTimer } from "./deadline-timer.ts";
import type { CarriedProperties, Message } from "./message.ts";
import { ingested, type PassingMessage } from "./passing-message.ts";
import type { Authorize, DisconnectReason, MqttAction, Peer } from "./peer.ts";
import { presenceMessage } from "./presence.ts";
import { OrderedCommits } from "./ordered-commits.ts";
import type { RequestHandler } from "./request.ts";
import { Retained } from "./retained.ts";
import type { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import { Subscribers } from "./subscribers.ts";
import { TopicTree } from "./topic-tree.ts";

export interface BrokerOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly events: CloudEvents;
  readonly authorize: Authorize;
  readonly limits?: Partial<BrokerLimits>;
  readonly log?: Log;
  readonly faults?: Faults;
}

/**
 * An MQTT broker as AWS IoT Core is one. Everything happens within the call that brought it, but for acknowledgements,
 * which wait until the store is durable; so a driven clock orders a thousand clients on in-memory links.
 */
export class Broker implements BrokerSide {
  readonly clock: Clock;
  readonly limits: BrokerLimits;
  readonly #commits: OrderedCommits;
  readonly #events: CloudEvents;
  readonly #authorize: Authorize;
  readonly #log: Log;
  readonly #faults: Faults | undefined;
  readonly #connections = new Set<Connection>();
  readonly #subscribers = new Subscribers();
  readonly #sessions: Sessions;
  /** Of keep alive, CONNECT, session expiry and delayed wills. */
  readonly #deadlines: DeadlineTimer;
  readonly #handlers = new TopicTree<RequestHandler>();
  readonly retained: Retained;
  #passing: (message: PassingMessage) => void = () => {};

  constructor(options: BrokerOptions) {
    this.clock = options.clock;
    this.limits = { ...awsLimits, ...options.limits };
    this.#commits = new OrderedCommits(options.store);
    this.#events = options.events;
    this.#authorize = options.authorize;
    this.#log = options.log ?? silentLog;
    this.#faults = options.faults;
    this.#faults?.onCut((thing) => this.#lose(thing));
    this.retained = new Retained(options.store, this.clock, this.limits.retainedMax);
    this.#sessions = new Sessions({
      clock: this.clock,
      store: options.store,
      waitingPerSessionMax: this.limits.waitingPerSessionMax,
      subscribers: this.#subscribers,
      sendWill: (message, clientId) => {
        this.#route(message, undefined);
        this.#pass(message, { clientId, principal: undefined });
      },
    });
    this.#deadlines = new DeadlineTimer(this.clock, () => this.#sweep());
    if (this.#sessions.size > 0) this.#deadlines.within(0);
  }

  /** Speaks MQTT with whom a door has let in. */
  accept(link: Link, peer: Peer): void {
    const { thingName } = peer;
    const faults = this.#faults;
    if (faults?.isCut(thingName) === true) {
      link.onClose(() => {});
      link.close().catch(() => {});
      return;
    }
    const line =
      faults === undefined ? link : new SlowLink(link, this.clock, () => faults.delayMs(thingName));
    this.#connections.add(new Connection(this, line, peer));
    this.#deadlines.within(this.limits.connectTimeoutMs);
  }

  /** What clients publish to topics of this filter goes to `handler` alone. For `$aws/…`. */
  handle(filter: string, handler: RequestHandler): void {
    this.#handlers.set(filter, handler, handler);
  }

  /** For topic rules. Answers to one client alone are not shown. */
  onPassing(listener: (message: PassingMessage) => void): void {
    this.#passing = listener;
  }

  /** From a service of the cloud itself. Goes out when what was set before is durable. */
  publish(
    topic: string,
    payload: Uint8Array | string,
    options: {
      readonly qos?: 0 | 1;
      readonly retain?: boolean;
      readonly properties?: CarriedProperties;
      readonly lifeSeconds?: number | undefined;
      /** Only this client gets it, as AWS answers on topics that all clients share. */
      readonly onlyTo?: string;
      readonly republished?: number;
    } = {},
  ): void {
    const message: Message = {
      topic,
      payload: typeof payload === "string" ? Buffer.from(payload) : payload,
      qos: options.qos ?? 1,
      retain: options.retain ?? false,
      properties: options.properties ?? {},
      expiresAt:
        options.lifeSeconds === undefined ? undefined : this.clock.now() + options.lifeSeconds * 1000,
    };
    const route = (): Promise<void> => {
      this.#route(message, undefined, options.onlyTo);
      if (options.onlyTo === undefined) this.#pass(message, undefined, options.republished);
      return this.durable();
    };
    this.durable()
      .then(route)
      .catch((failure: unknown) =>
        this.#log.error("A message was not sent since the store failed.", {
          topic,
          failure: messageOf(failure),
        }),
      );
  }

  /** Resolves when all that was set before is durable, and after whoever asked before: messages keep their order. */
  durable(): Promise<void> {
    return this.#commits.next();
  }

  /** Cuts every connection of a certificate that no longer counts. */
  disconnectCertificate(certificateId: string): void {
    for (const connection of this.#connections)
      if (connection.peer.certificateId === certificateId) connection.end("FORBIDDEN_ACCESS", 0x87);
  }

  /** Cuts one client, as `DeleteConnection` does. */
  disconnect(clientId: string): boolean {
    const connection = this.#connectionOf(clientId);
    connection?.end("SERVER_INITIATED_DISCONNECT", 0x98);
    return connection !== undefined;
  }

  /** The network between has gone: nobody is told anything. */
  #lose(thingName: string): void {
    for (const connection of this.#connections)
      if (connection.peer.thingName === thingName) connection.lose();
  }

  isConnected(clientId: string): boolean {
    return this.#connectionOf(clientId) !== undefined;
  }

  get statistics(): { connections: number; sessions: number; retained: number; dropped: number } {
    return {
      connections: this.#connections.size,
      sessions: this.#sessions.size,
      retained: this.retained.size,
      dropped: this.#sessions.dropped,
    };
  }

  /** Ends every connection, without wills; sessions stay. */
  close(): void {
    for (const connection of this.#connections) connection.end("SERVER_INITIATED_DISCONNECT", 0x8b, false);
    this.#deadlines.cancel();
  }

  losesReply({ peer }: Connection, operation: "Publish" | "Subscribe"): boolean {
    return this.#faults?.losesReply({ service: "mqtt", operation, thing: peer.thingName }) === true;
  }

  allows(connection: Connection, action: MqttAction, resource: string): boolean {
    return this.#authorize(connection.peer, connection.clientId, action, resource);
  }

  attach(connection: Connection, request: ConnectRequest): { session: Session; present: boolean } {
    const { clientId } = connection;
    this.#connectionOf(clientId)?.end("DUPLICATE_CLIENTID", 0x8e);
    const { clean, sessionExpirySeconds: expirySeconds } = request;
    const begun = this.#sessions.begin(connection, { clientId, clean, expirySeconds });
    this.#deadlines.within(request.keepAliveSeconds * 1500);
    this.#tell(connection, true, "CONNECTED");
    return begun;
  }

  detach(connection: Connection, reason: DisconnectReason, sendWill: boolean): void {
    this.#connections.delete(connection);
    const { session, request } = connection;
    if (session === undefined || session.receiver !== connection) return;
    this.#sessions.leave(session);
    this.#tell(connection, false, reason);
    this.#sweepBy(this.#sessions.settle(session, sendWill ? request?.will : undefined));
  }

  subscribed(session: Session, filter: string): void {
    this.#subscribers.add(session, filter);
  }

  unsubscribed(session: Session, filter: string): void {
    this.#subscribers.remove(session, filter);
  }

  sendRetained(session: Session, filter: string, qos: 0 | 1): void {
    for (const message of this.retained.matching(filter))
      session.deliver({ ...message, qos: message.qos === 0 ? 0 : qos, retain: true });
  }

  retainFault(message: Message): string | undefined {
    return message.retain ? this.retained.faultOn(message.topic) : undefined;
  }

  take(connection: Connection, message: Message): Promise<void> {
    const { clientId, peer } = connection;
    this.#events.emit({
      kind: "mqtt-message",
      topic: ingested(message.topic)?.topic ?? message.topic,
      payload: message.payload,
      clientId,
      at: this.clock.now(),
    });
    this.#pass(message, { clientId, principal: peer.certificateId });
    if (message.topic.startsWith("$aws/")) {
      const { topic, payload, properties } = message;
      try {
        for (const handler of this.#handlers.match(topic))
          handler({ topic, payload, properties, peer, clientId });
      } catch (failure) {
        this.#log.error("A handler failed.", { topic, clientId, failure: messageOf(failure) });
        return Promise.reject(failure instanceof Error ? failure : new Error(messageOf(failure)));
      }
    } else this.#route(message, connection.session);
    return this.durable();
  }

  #pass(message: Message, from: PassingMessage["from"], republished = 0): void {
    const { topic, payload } = message;
    this.#passing({ topic, payload, from, ruleName: undefined, republished, ...ingested(topic) });
  }

  #route(message: Message, from: Session | undefined, onlyTo?: string): void {
    if (message.retain) this.retained.set(message);
    this.#subscribers.deliver(message, from, onlyTo);
  }

  #connectionOf(clientId: string): Connection | undefined {
    const receiver = this.#sessions.receiverOf(clientId);
    return receiver instanceof Connection ? receiver : undefined;
  }

  #tell(connection: Connection, connected: boolean, reason: string): void {
    const { clientId, peer } = connection;
    const at = this.clock.now();
    this.#events.emit({
      kind: "mqtt-connection",
      clientId,
      thingName: peer.thingName,
      connected,
      reason,
      at,
    });
    const message = presenceMessage(clientId, connected, reason, at);
    this.#route(message, undefined);
    this.#pass(message, undefined);
  }

  #sweep(): void {
    const monotonicMs = this.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) {
      if (connection.deadlineMs <= monotonicMs) connection.end("MQTT_KEEP_ALIVE_TIMEOUT", 0x8d);
      else nextMs = Math.min(nextMs, connection.deadlineMs - monotonicMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#deadlines.within(nextMs);
    this.#sweepBy(this.#sessions.sweep());
  }

  #sweepBy(at: Instant | undefined): void {
    if (at !== undefined) this.#deadlines.within(at - this.clock.now());
  }
}
