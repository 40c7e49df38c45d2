import { DrivenClock } from "@coalmine/runtime";
import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { expect, test } from "vitest";
import { CloudEvents } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import { Broker } from "./broker.ts";
import { BareClient } from "./client.ts";
import { linkPair } from "./link-pair.ts";

/** Whatever one client sends, another goes on being served. */

const drain = () => new Promise<void>((done) => setImmediate(done));

const packets: Packet[] = [
  {
    cmd: "publish",
    topic: "a/b",
    payload: "payload",
    qos: 1,
    dup: false,
    retain: true,
    messageId: 7,
    properties: {
      userProperties: { k: "v" },
      topicAlias: 1,
      correlationData: Buffer.from("c"),
      messageExpiryInterval: 9,
    },
  },
  { cmd: "subscribe", messageId: 8, subscriptions: [{ topic: "a/+", qos: 1, nl: true, rap: true, rh: 1 }] },
  { cmd: "unsubscribe", messageId: 9, unsubscriptions: ["a/+"] },
  { cmd: "puback", messageId: 1, reasonCode: 0 },
  { cmd: "pubrel", messageId: 1, reasonCode: 0 },
  { cmd: "auth", reasonCode: 0, properties: { authenticationMethod: "m" } },
  { cmd: "pingreq" },
  { cmd: "disconnect", reasonCode: 4, properties: { sessionExpiryInterval: 10 } },
];
const connect = generate({
  cmd: "connect",
  clientId: "hostile",
  protocolId: "MQTT",
  protocolVersion: 5,
  clean: false,
  keepalive: 60,
  properties: { sessionExpiryInterval: 60, receiveMaximum: 2, userProperties: { a: "b" } },
  will: { topic: "w", payload: Buffer.from("w"), qos: 1, properties: { willDelayInterval: 1 } },
});

function spoil(bytes: Buffer, places: readonly (readonly [number, number])[], cut: number): Buffer {
  const spoilt = Buffer.from(bytes);
  for (const [at, value] of places) spoilt[at % spoilt.length] = value;
  return spoilt.subarray(0, Math.max(1, spoilt.length - (cut % spoilt.length)));
}

test("bytes that are no MQTT, or nearly MQTT, harm nobody else", async () => {
  const clock = new DrivenClock(0, drain);
  const broker = new Broker({
    clock,
    store: memoryStore(),
    events: new CloudEvents(),
    authorize: () => true,
  });
  const open = (): ReturnType<typeof linkPair>[0] => {
    const [here, there] = linkPair();
    broker.accept(there, { certificateId: "c", kind: "in-process" });
    here.onData(() => {});
    here.onClose(() => {});
    return here;
  };
  const good = new BareClient(open());
  good.connect("good");
  good.subscribe("good/#");
  const place = fc.tuple(fc.nat(400), fc.nat(255));
  const attack = fc.record({
    first: fc.oneof(
      fc.constant(connect),
      fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.array(place, { maxLength: 3 }), fc.nat(3))
        .map(([places, cut]) => spoil(connect, places, cut)),
    ),
    after: fc.array(
      fc
        .tuple(fc.constantFrom(...packets), fc.array(place, { maxLength: 4 }), fc.nat(3))
        .map(([packet, places, cut]) => spoil(generate(packet, { protocolVersion: 5 }), places, cut)),
      { maxLength: 4 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(attack, async ({ first, after }) => {
      const link = open();
      for (const bytes of [first, ...after]) await link.write(bytes).catch(() => {});
      await drain();
      await link.close();
    }),
    { numRuns: 3000 },
  );
  await clock.runUntil(80_000);
  good.publish("good/still", "served");
  await clock.settle();
  expect(good.payloads).toEqual(["served"]);
  // Every attacker is gone, and no session of theirs outlives its hour.
  await clock.runUntil(clock.now() + 50_000);
  expect(broker.statistics.connections).toBe(1);
});

test("a packet that claims to be endless is cut off, not collected", async () => {
  const clock = new DrivenClock(0, drain);
  const broker = new Broker({
    clock,
    store: memoryStore(),
    events: new CloudEvents(),
    authorize: () => true,
  });
  const [here, there] = linkPair();
  broker.accept(there, { certificateId: "c", kind: "in-process" });
  let closed = false;
  here.onClose(() => (closed = true));
  // PUBLISH with a remaining length of 256 MiB.
  await here.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
  for (let sent = 0; sent < 20 && !closed; sent++) await here.write(Buffer.alloc(16 * 1024)).catch(() => {});
  await drain();
  expect(closed).toBe(true);
});
