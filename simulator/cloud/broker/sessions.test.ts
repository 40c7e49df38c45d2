import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { memoryStore } from "../store/memory-store.ts";
import type { Message } from "./message.ts";
import type { Receiver } from "./session.ts";
import { Sessions } from "./sessions.ts";
import { Subscribers } from "./subscribers.ts";

const message: Message = {
  topic: "t",
  payload: Buffer.from("gone"),
  qos: 1,
  retain: false,
  properties: {},
  expiresAt: undefined,
};

function rig() {
  const clock = new DrivenClock(0, () => new Promise(setImmediate));
  const store = memoryStore();
  const wills: string[] = [];
  const got: string[] = [];
  const receiver: Receiver = {
    windowMax: 10,
    mayReceive: () => true,
    send: ({ message: { payload } }) => {
      got.push(Buffer.from(payload).toString());
      return true;
    },
  };
  const start = () => {
    const subscribers = new Subscribers();
    const sendWill = ({ expiresAt }: Message, clientId: string): void => {
      wills.push(`${clientId} at ${clock.now()}, until ${expiresAt ?? "ever"}`);
    };
    const sessions = new Sessions({ clock, store, waitingPerSessionMax: 10, subscribers, sendWill });
    return { subscribers, sessions };
  };
  const asks = (expirySeconds: number, clean = false) => ({ clientId: "device", clean, expirySeconds });
  return { clock, receiver, wills, got, start, asks };
}

test("who comes back finds its session, unless it wants a clean one; one without a life ends with its connection", () => {
  const { receiver, start, asks } = rig();
  const { sessions } = start();
  const first = sessions.begin(receiver, asks(60));
  expect(first.present).toBe(false);
  sessions.leave(first.session);
  sessions.settle(first.session, undefined);
  expect(sessions.receiverOf("device")).toBeUndefined();
  expect(sessions.begin(receiver, asks(60))).toEqual({ session: first.session, present: true });
  const clean = sessions.begin(receiver, asks(0, true));
  expect([clean.present, clean.session === first.session, sessions.size]).toEqual([false, false, 1]);
  sessions.leave(clean.session);
  expect(sessions.settle(clean.session, undefined)).toBeUndefined();
  expect(sessions.size).toBe(0);
});

test("a session that nobody came back for ends, with what it subscribed to, and says before when that will be", async () => {
  const { clock, receiver, start, asks, got } = rig();
  const { sessions, subscribers } = start();
  const { session } = sessions.begin(receiver, asks(60));
  session.subscriptions.set("t", { filter: "t", qos: 1, noLocal: false, retainAsPublished: false });
  subscribers.add(session, "t");
  sessions.leave(session);
  expect(sessions.settle(session, undefined)).toBe(60_000);
  await clock.runUntil(59_999);
  expect([sessions.sweep(), sessions.size]).toEqual([60_000, 1]);
  await clock.runUntil(60_000);
  expect([sessions.sweep(), sessions.size]).toEqual([undefined, 0]);
  session.receiver = receiver;
  subscribers.deliver(message);
  expect(got).toEqual([]);
});

test("a will waits for its delay, at most as long as the session; who comes back takes it with it", async () => {
  const { clock, receiver, wills, start, asks } = rig();
  const { sessions } = start();
  const leave = (will: Parameters<Sessions["settle"]>[1], expirySeconds: number) => {
    const { session } = sessions.begin(receiver, asks(expirySeconds));
    sessions.leave(session);
    return sessions.settle(session, will);
  };
  expect(leave({ message, delaySeconds: 0, lifeSeconds: 5 }, 60)).toBe(60_000);
  expect(wills).toEqual(["device at 0, until 5000"]);
  expect(leave({ message, delaySeconds: 30 }, 60)).toBe(30_000);
  expect(leave({ message, delaySeconds: 90 }, 60)).toBe(60_000);
  await clock.runUntil(40_000);
  sessions.sweep();
  expect(wills).toHaveLength(1);
  await clock.runUntil(60_000);
  sessions.sweep();
  expect(wills.slice(1)).toEqual(["device at 60000, until ever"]);
});

test("after a restart the sessions are there again, and have been alone since then", async () => {
  const { clock, receiver, start, asks } = rig();
  start().sessions.begin(receiver, asks(60));
  await clock.runUntil(100_000);
  const { sessions } = start();
  expect([sessions.size, sessions.sweep()]).toEqual([1, 160_000]);
  expect(sessions.begin(receiver, asks(60)).present).toBe(true);
});
