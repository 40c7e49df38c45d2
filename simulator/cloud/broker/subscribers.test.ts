import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { memoryStore } from "../store/memory-store.ts";
import type { Message } from "./message.ts";
import { Session, SessionStore, type Subscription } from "./session.ts";
import { Subscribers } from "./subscribers.ts";

const clock = new DrivenClock(0, () => new Promise(setImmediate));
const kept = new SessionStore(memoryStore());

/** A session that is there, and what it is sent. */
function someone(clientId: string) {
  const session = new Session(clientId, clock, kept, 10);
  const got: string[] = [];
  const receiver = {
    windowMax: 10,
    mayReceive: () => true,
    send: ({ message: { payload, qos, retain } }: { message: Message }) => {
      got.push(`${Buffer.from(payload).toString()} at ${qos}${retain ? ", retained" : ""}`);
      return true;
    },
  };
  session.receiver = receiver;
  return { session, got, receiver };
}

function subscribe(
  subscribers: Subscribers,
  { session }: { session: Session },
  filter: string,
  wanted: Partial<Subscription> = {},
): void {
  session.subscriptions.set(filter, {
    filter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    ...wanted,
  });
  subscribers.add(session, filter);
}

const message = (text: string, more: Partial<Message> = {}): Message => ({
  topic: "a/b",
  payload: Buffer.from(text),
  qos: 1,
  retain: false,
  properties: {},
  expiresAt: undefined,
  ...more,
});

test("overlapping filters bring one copy, with the greatest QoS and retained as one of them wants it", () => {
  const subscribers = new Subscribers();
  const [both, low] = [someone("both"), someone("low")];
  subscribe(subscribers, both, "a/#", { qos: 0, retainAsPublished: true });
  subscribe(subscribers, both, "a/+");
  subscribe(subscribers, low, "a/b", { qos: 0 });
  subscribers.deliver(message("one", { retain: true }));
  expect(both.got).toEqual(["one at 1, retained"]);
  expect(low.got).toEqual(["one at 0"]);
  subscribers.remove(both.session, "a/+");
  subscribers.deliver(message("two"));
  expect(both.got.at(-1)).toBe("two at 0");
});

test("who wants nothing of its own gets nothing of its own, and what is for one client goes to it alone", () => {
  const subscribers = new Subscribers();
  const [deaf, other, sharing] = [someone("deaf"), someone("other"), someone("sharing")];
  subscribe(subscribers, deaf, "a/b", { noLocal: true });
  subscribe(subscribers, other, "a/b");
  subscribe(subscribers, sharing, "$share/group/a/b");
  subscribers.deliver(message("mine"), deaf.session);
  subscribers.deliver(message("for other"), undefined, "other");
  expect(deaf.got).toEqual([]);
  expect(other.got).toEqual(["mine at 1", "for other at 1"]);
  expect(sharing.got).toEqual(["mine at 1"]);
});

test("a share's members take turns, who is away is passed over, and who has left is not asked", () => {
  const subscribers = new Subscribers();
  const [one, two] = [someone("one"), someone("two")];
  for (const member of [one, two]) subscribe(subscribers, member, "$share/group/a/+");
  for (const text of ["1", "2", "3"]) subscribers.deliver(message(text));
  expect([one.got, two.got]).toEqual([["1 at 1", "3 at 1"], ["2 at 1"]]);
  one.session.receiver = undefined;
  for (const text of ["4", "5"]) subscribers.deliver(message(text));
  expect(two.got).toEqual(["2 at 1", "4 at 1", "5 at 1"]);
  one.session.receiver = one.receiver;
  subscribers.remove(two.session, "$share/group/a/+");
  for (const text of ["6", "7"]) subscribers.deliver(message(text));
  expect(one.got.slice(2)).toEqual(["6 at 1", "7 at 1"]);
});
