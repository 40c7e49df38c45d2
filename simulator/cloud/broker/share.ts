import type { Session } from "./session.ts";

/** The members of a shared subscription, asked in turn. */
export interface ShareGroup {
  readonly members: Session[];
  turn: number;
}

/** Whose turn it is: the next one that is connected, or else the next. */
export function nextOf(group: ShareGroup): Session | undefined {
  const { members } = group;
  const start = group.turn++;
  const inTurn = members.map((_, offset) => members[(start + offset) % members.length]);
  return inTurn.find((member) => member?.receiver !== undefined) ?? inTurn[0];
}
