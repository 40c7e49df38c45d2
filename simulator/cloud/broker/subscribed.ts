import type { Session, Subscription } from "./session.ts";

export interface Subscribed {
  readonly session: Session;
  readonly subscription: Subscription;
}

/** The members of a shared subscription, asked in turn. */
export interface ShareGroup {
  readonly members: Session[];
  turn: number;
}

/** Whose turn it is: somebody who is there, where anybody is. */
export function nextMember(group: ShareGroup): Session | undefined {
  const { members } = group;
  const start = group.turn++;
  const inTurn = members.map((_, offset) => members[(start + offset) % members.length]);
  return inTurn.find((member) => member?.receiver !== undefined) ?? inTurn[0];
}

/** A session whose filters overlap gets one copy, with the greatest QoS that it asked for. */
export function bySession(found: readonly Subscribed[]): Map<Session, Subscription[]> {
  const grouped = new Map<Session, Subscription[]>();
  for (const { session, subscription } of found) {
    const group = grouped.get(session);
    if (group === undefined) grouped.set(session, [subscription]);
    else group.push(subscription);
  }
  return grouped;
}
