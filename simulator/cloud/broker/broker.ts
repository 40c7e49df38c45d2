import type { Clock, Link, Log, Timer } from "@coalmine/ports";
import { messageOf, silentLog } from "@coalmine/runtime";
import type { Faults } from "../control/faults.ts";
import { SlowLink } from "../control/slow-link.ts";
import type { CloudEvents } from "../service.ts";
import type { Store } from "../store/store.ts";
import { type BrokerSide, Connection } from "./connection.ts";
import type { ConnectRequest } from "./connect-request.ts";
import { awsLimits, type BrokerLimits } from "./limits.ts";
import type { CarriedProperties, Message } from "./message.ts";
import { ingested, type PassingMessage } from "./passing-message.ts";
import type { Authorize, DisconnectReason, MqttAction, Peer } from "./peer.ts";
import { presenceMessage } from "./presence.ts";
import { Retained } from "./retained.ts";
import { Session, SessionStore } from "./session.ts";
import { bySession, nextMember, type ShareGroup, type Subscribed } from "./subscribed.ts";
import { shareOf } from "./topic.ts";
import { TopicTree } from "./topic-tree.ts";

/** A message from a client to one of AWS's own topics. */
export interface Request {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: CarriedProperties;
  readonly peer: Peer;
  readonly clientId: string;
}
/** Answers by `broker.publish`. It throws nothing: what it throws ends the connection. */
export type RequestHandler = (request: Request) => void;

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
  readonly #store: Store;
  readonly #events: CloudEvents;
  readonly #authorize: Authorize;
  readonly #log: Log;
  readonly #faults: Faults | undefined;
  readonly #kept: SessionStore;
  readonly #sessions = new Map<string, Session>();
  readonly #connections = new Set<Connection>();
  readonly #subscriptions = new TopicTree<Subscribed>();
  readonly #shares = new TopicTree<ShareGroup>();
  readonly #handlers = new TopicTree<RequestHandler>();
  readonly retained: Retained;
  #passing: (message: PassingMessage) => void = () => {};
  #turn: Promise<void> = Promise.resolve();
  #sweep: { readonly timer: Timer; readonly atMs: number } | undefined;

  constructor(options: BrokerOptions) {
    this.clock = options.clock;
    this.limits = { ...awsLimits, ...options.limits };
    this.#store = options.store;
    this.#events = options.events;
    this.#authorize = options.authorize;
    this.#log = options.log ?? silentLog;
    this.#faults = options.faults;
    this.#faults?.onCut((thing) => this.#lose(thing));
    this.#kept = new SessionStore(options.store);
    this.retained = new Retained(options.store, this.clock, this.limits.retainedMax);
    for (const clientId of [...this.#kept.sessions.entries()].map(([key]) => key)) {
      const session = Session.restored(clientId, this.clock, this.#kept, this.limits.waitingPerSessionMax);
      session.keep();
      this.#sessions.set(clientId, session);
      for (const filter of session.subscriptions.keys()) this.subscribed(session, filter);
    }
    if (this.#sessions.size > 0) this.#sweepWithin(1000);
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
    this.#sweepWithin(this.limits.connectTimeoutMs);
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
    const committed = this.#store.commit();
    // Its failure is met when its turn comes.
    committed.catch(() => {});
    this.#turn = this.#turn.then(
      () => committed,
      () => committed,
    );
    return this.#turn;
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
    let dropped = 0;
    for (const session of this.#sessions.values()) dropped += session.dropped;
    return {
      connections: this.#connections.size,
      sessions: this.#sessions.size,
      retained: this.retained.size,
      dropped,
    };
  }

  /** Ends every connection, without wills; sessions stay. */
  close(): void {
    for (const connection of this.#connections) connection.end("SERVER_INITIATED_DISCONNECT", 0x8b, false);
    this.#sweep?.timer.cancel();
    this.#sweep = undefined;
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
    const former = this.#sessions.get(clientId);
    const resumes = former !== undefined && !request.clean;
    if (former !== undefined && !resumes) this.#discard(former);
    const session =
      resumes && former !== undefined
        ? former
        : new Session(clientId, this.clock, this.#kept, this.limits.waitingPerSessionMax);
    session.delayedWill = undefined;
    session.receiver = connection;
    session.disconnectedAt = undefined;
    session.expirySeconds = request.sessionExpirySeconds;
    session.keep();
    this.#sessions.set(clientId, session);
    this.#sweepWithin(request.keepAliveSeconds * 1500);
    this.#tell(connection, true, "CONNECTED");
    return { session, present: resumes };
  }

  detach(connection: Connection, reason: DisconnectReason, sendWill: boolean): void {
    this.#connections.delete(connection);
    const { session, request } = connection;
    if (session === undefined || session.receiver !== connection) return;
    session.receiver = undefined;
    session.disconnectedAt = this.clock.now();
    session.keep();
    this.#tell(connection, false, reason);
    const will = sendWill ? request?.will : undefined;
    if (will !== undefined) {
      const { message, lifeSeconds } = will;
      const at = this.clock.now() + Math.min(will.delaySeconds, session.expirySeconds) * 1000;
      const expiresAt = lifeSeconds === undefined ? undefined : at + lifeSeconds * 1000;
      session.delayedWill = { message: { ...message, expiresAt }, at };
      if (at <= this.clock.now()) this.#sendWill(session);
      else this.#sweepWithin(at - this.clock.now());
    }
    if (session.isPersistent) this.#sweepWithin(session.expirySeconds * 1000);
    else this.#discard(session);
  }

  subscribed(session: Session, filter: string): void {
    const share = shareOf(filter);
    if (share === undefined) {
      const subscription = session.subscriptions.get(filter);
      if (subscription !== undefined) this.#subscriptions.set(filter, session, { session, subscription });
      return;
    }
    const group = this.#shares.get(share.filter, share.group) ?? { members: [], turn: 0 };
    if (!group.members.includes(session)) group.members.push(session);
    this.#shares.set(share.filter, share.group, group);
  }

  unsubscribed(session: Session, filter: string): void {
    const share = shareOf(filter);
    if (share === undefined) {
      this.#subscriptions.delete(filter, session);
      return;
    }
    const group = this.#shares.get(share.filter, share.group);
    const index = group?.members.indexOf(session) ?? -1;
    if (group === undefined || index < 0) return;
    group.members.splice(index, 1);
    if (group.members.length === 0) this.#shares.delete(share.filter, share.group);
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
    const found = this.#subscriptions
      .match(message.topic)
      .filter(
        ({ session, subscription }) =>
          !(subscription.noLocal && session === from) &&
          (onlyTo === undefined || session.clientId === onlyTo),
      );
    for (const [session, subscriptions] of bySession(found)) {
      const qos = message.qos === 1 && subscriptions.some((one) => one.qos === 1) ? 1 : 0;
      const retain = message.retain && subscriptions.some((one) => one.retainAsPublished);
      session.deliver({ ...message, qos, retain });
    }
    if (onlyTo !== undefined) return;
    for (const group of this.#shares.match(message.topic))
      nextMember(group)?.deliver({ ...message, retain: false });
  }

  #sendWill(session: Session): void {
    const will = session.delayedWill;
    session.delayedWill = undefined;
    if (will === undefined) return;
    this.#route(will.message, undefined);
    this.#pass(will.message, { clientId: session.clientId, principal: undefined });
  }

  #discard(session: Session): void {
    // The session ends, and with it the wait for its will.
    this.#sendWill(session);
    for (const filter of session.subscriptions.keys()) this.unsubscribed(session, filter);
    session.discard();
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
  }

  #connectionOf(clientId: string): Connection | undefined {
    const receiver = this.#sessions.get(clientId)?.receiver;
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

  /** One timer serves every deadline: keep alive, CONNECT, session expiry, delayed wills. At most a second late. */
  #sweepWithin(delayMs: number): void {
    const atMs = this.clock.monotonicMs() + Math.max(1000, delayMs);
    if (this.#sweep !== undefined && this.#sweep.atMs <= atMs) return;
    this.#sweep?.timer.cancel();
    this.#sweep = { atMs, timer: this.clock.timer(atMs - this.clock.monotonicMs(), () => this.#sweepNow()) };
  }

  #sweepNow(): void {
    this.#sweep = undefined;
    const now = this.clock.now();
    const monotonicMs = this.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) {
      if (connection.deadlineMs <= monotonicMs) connection.end("MQTT_KEEP_ALIVE_TIMEOUT", 0x8d);
      else nextMs = Math.min(nextMs, connection.deadlineMs - monotonicMs);
    }
    for (const session of this.#sessions.values()) {
      if (session.expiresAt !== undefined && session.expiresAt <= now) this.#discard(session);
      else if (session.delayedWill !== undefined && session.delayedWill.at <= now) this.#sendWill(session);
      for (const at of [session.expiresAt, session.delayedWill?.at])
        if (at !== undefined && at > now) nextMs = Math.min(nextMs, at - now);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#sweepWithin(nextMs);
  }
}
