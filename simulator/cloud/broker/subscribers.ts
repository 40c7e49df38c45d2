import type { Message } from "./message.ts";
import type { Session, Subscription } from "./session.ts";
import { shareOf } from "./topic.ts";
import { TopicTree } from "./topic-tree.ts";

interface Subscribed {
  readonly session: Session;
  readonly subscription: Subscription;
}
/** The members of a shared subscription, asked in turn. */
interface ShareGroup {
  readonly members: Session[];
  turn: number;
}

/** Which session gets a message, found by its topic: those that subscribed for themselves, and one of each share. */
export class Subscribers {
  readonly #single = new TopicTree<Subscribed>();
  readonly #shares = new TopicTree<ShareGroup>();

  /** `filter` is one of the session's own. */
  add(session: Session, filter: string): void {
    const share = shareOf(filter);
    if (share === undefined) {
      const subscription = session.subscriptions.get(filter);
      if (subscription !== undefined) this.#single.set(filter, session, { session, subscription });
      return;
    }
    const group = this.#shares.get(share.filter, share.group) ?? { members: [], turn: 0 };
    if (!group.members.includes(session)) group.members.push(session);
    this.#shares.set(share.filter, share.group, group);
  }

  remove(session: Session, filter: string): void {
    const share = shareOf(filter);
    if (share === undefined) {
      this.#single.delete(filter, session);
      return;
    }
    const group = this.#shares.get(share.filter, share.group);
    const index = group?.members.indexOf(session) ?? -1;
    if (group === undefined || index < 0) return;
    group.members.splice(index, 1);
    if (group.members.length === 0) this.#shares.delete(share.filter, share.group);
  }

  /** `from` published it. What is for one client alone, shares do not get. */
  deliver(message: Message, from?: Session, onlyTo?: string): void {
    const found = this.#single
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
}

/** A session whose filters overlap gets one copy, with the greatest QoS that it asked for. */
function bySession(found: readonly Subscribed[]): Map<Session, Subscription[]> {
  const grouped = new Map<Session, Subscription[]>();
  for (const { session, subscription } of found) {
    const group = grouped.get(session);
    if (group === undefined) grouped.set(session, [subscription]);
    else group.push(subscription);
  }
  return grouped;
}

/** Whose turn it is: somebody who is there, where anybody is. */
function nextMember(group: ShareGroup): Session | undefined {
  const { members } = group;
  const start = group.turn++;
  const inTurn = members.map((_, offset) => members[(start + offset) % members.length]);
  return inTurn.find((member) => member?.receiver !== undefined) ?? inTurn[0];
}
