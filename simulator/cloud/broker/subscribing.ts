import type { ISubackPacket, ISubscribePacket, IUnsubackPacket, IUnsubscribePacket } from "mqtt-packet";
import type { BrokerSide, Connection } from "./connection.ts";
import type { DisconnectReason } from "./peer.ts";
import type { Session } from "./session.ts";
import { filterFault, shareOf } from "./topic.ts";

type SubscribeAnswer =
  | { readonly end: DisconnectReason; readonly reasonCode: number }
  | {
      readonly suback: ISubackPacket;
      readonly retainedFor: readonly { readonly filter: string; readonly qos: 0 | 1 }[];
    };

/** Carries out a SUBSCRIBE as far as policy and limits allow. MQTT 3.1.1 has no word for "not allowed": it ends. */
export function acknowledgeSubscribe(
  connection: Connection,
  session: Session,
  broker: BrokerSide,
  version: 4 | 5,
  packet: ISubscribePacket,
): SubscribeAnswer {
  const messageId = packet.messageId ?? 0;
  if (messageId < 1 || packet.subscriptions.length === 0) return { end: "CLIENT_ERROR", reasonCode: 0x81 };
  if (packet.subscriptions.length > broker.limits.subscriptionsPerRequestMax)
    return { end: "CLIENT_ERROR", reasonCode: 0x97 };
  const granted: number[] = [];
  const retainedFor: { filter: string; qos: 0 | 1 }[] = [];
  for (const asked of packet.subscriptions) {
    const { topic: filter } = asked;
    const shared = shareOf(filter);
    if (filterFault(filter, broker.limits) !== undefined) {
      granted.push(version === 5 ? 0x8f : 0x80);
      continue;
    }
    if (!broker.allows(connection, "subscribe", shared?.filter ?? filter)) {
      if (version === 4) return { end: "FORBIDDEN_ACCESS", reasonCode: 0x87 };
      granted.push(0x87);
      continue;
    }
    const isNew = !session.subscriptions.has(filter);
    if (isNew && session.subscriptions.size >= broker.limits.subscriptionsPerConnectionMax) {
      granted.push(version === 5 ? 0x97 : 0x80);
      continue;
    }
    const qos = asked.qos === 0 ? 0 : 1;
    session.subscriptions.set(filter, {
      filter,
      qos,
      noLocal: asked.nl ?? false,
      retainAsPublished: asked.rap ?? false,
    });
    broker.subscribed(session, filter);
    granted.push(qos);
    const retainedWanted = asked.rh !== 2 && (asked.rh !== 1 || isNew);
    if (shared === undefined && retainedWanted) retainedFor.push({ filter, qos });
  }
  session.keep();
  return { suback: { cmd: "suback", messageId, granted }, retainedFor };
}

export function acknowledgeUnsubscribe(
  session: Session,
  broker: BrokerSide,
  packet: IUnsubscribePacket,
): IUnsubackPacket {
  const granted = packet.unsubscriptions.map((filter) => {
    const had = session.subscriptions.delete(filter);
    if (had) broker.unsubscribed(session, filter);
    return had ? 0x00 : 0x11;
  });
  session.keep();
  return { cmd: "unsuback", messageId: packet.messageId ?? 0, granted };
}
