import { DrivenClock } from "@coalmine/runtime";
import type { IConnectPacket, IPublishPacket } from "mqtt-packet";
import { expect, test } from "vitest";
import { type CloudEvent, CloudEvents } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import { Broker, type BrokerOptions } from "./broker.ts";
import { BareClient } from "./client.ts";
import { linkPair } from "./link-pair.ts";

const drain = () => new Promise<void>((done) => setImmediate(done));

function rig(options: Partial<BrokerOptions> = {}) {
  const clock = new DrivenClock(1_700_000_000_000, drain);
  const events = new CloudEvents();
  const told: CloudEvent[] = [];
  events.on((event) => told.push(event));
  const base = { clock, store: memoryStore(), events, authorize: () => true, ...options };
  let broker = new Broker(base);
  return {
    clock,
    told,
    get broker() {
      return broker;
    },
    /** The process died and another started on the same state. */
    restart: () => {
      broker = new Broker(base);
    },
    client: async (clientId: string, connect: Partial<IConnectPacket> = {}, version: 4 | 5 = 5) => {
      const [here, there] = linkPair();
      broker.accept(there, { certificateId: `cert-${clientId}`, thingName: clientId, kind: "in-process" });
      const client = new BareClient(here, version);
      client.connect(clientId, connect);
      await clock.settle();
      return client;
    },
  };
}

const keeps = { clean: false, properties: { sessionExpiryInterval: 3600 } };
const last = (client: BareClient, cmd: string) =>
  client.received.findLast((packet) => packet.cmd === cmd) as never as Record<string, unknown>;

for (const version of [4, 5] as const)
  test(`carries QoS 0 and 1 from publisher to subscribers in MQTT version ${version}`, async () => {
    const { clock, client } = rig();
    const [a, b] = [await client("a", {}, version), await client("b", {}, version)];
    b.subscribe("x/+/z", "x/#");
    await clock.settle();
    a.publish("x/y/z", "one");
    a.publish("x/y/z", "two", { qos: 0 });
    a.publish("other", "three");
    await clock.settle();
    // Overlapping filters bring one copy, with the greatest QoS.
    expect(b.messages.map(({ payload, qos }) => [payload.toString(), qos])).toEqual([
      ["one", 1],
      ["two", 0],
    ]);
    expect(a.received.filter((packet) => packet.cmd === "puback").map((packet) => packet.messageId)).toEqual([
      1, 2,
    ]);
  });

test("passes user properties, response topic and correlation data, and counts message expiry down", async () => {
  const { clock, client } = rig();
  const a = await client("a");
  const b = await client("b", keeps);
  b.subscribe("t");
  await clock.settle();
  await b.hangUp();
  const properties = {
    userProperties: { colour: "red", two: ["1", "2"] },
    responseTopic: "reply/here",
    correlationData: Buffer.from([1, 2, 3]),
    contentType: "application/json",
  };
  a.publish("t", "lives", { properties: { ...properties, messageExpiryInterval: 100 } });
  a.publish("t", "dies", { properties: { messageExpiryInterval: 10 } });
  await clock.runUntil(clock.now() + 40_000);
  const again = await client("b", keeps);
  expect(again.payloads).toEqual(["lives"]);
  expect(again.messages[0]?.properties).toMatchObject({ ...properties, messageExpiryInterval: 60 });
});

test("a session keeps subscriptions and messages over a restart, and redelivers with the same packet id", async () => {
  const cloud = rig();
  const first = await cloud.client("device", keeps);
  first.acknowledges = false;
  first.subscribe("in");
  const sender = await cloud.client("sender");
  await cloud.clock.settle();
  sender.publish("in", "sent");
  await cloud.clock.settle();
  expect(first.payloads).toEqual(["sent"]);
  await first.hangUp();
  await cloud.clock.settle();
  sender.publish("in", "waited");
  await cloud.clock.settle();

  cloud.restart();
  const second = await cloud.client("device", keeps);
  expect(last(second, "connack")["sessionPresent"]).toBe(true);
  expect(second.messages.map(({ payload, dup, messageId }) => [payload.toString(), dup, messageId])).toEqual([
    ["sent", true, first.messages[0]?.messageId],
    ["waited", false, expect.any(Number)],
  ]);
  await second.hangUp();
  // Acknowledged: gone for good.
  cloud.restart();
  const third = await cloud.client("device", keeps);
  expect(third.messages).toEqual([]);
  const other = await cloud.client("other");
  other.publish("in", "live");
  await cloud.clock.settle();
  expect(third.payloads).toEqual(["live"]);
});

test("a session ends when nobody came back for it, and at a clean start", async () => {
  const { clock, client } = rig();
  const device = await client("device", keeps);
  device.subscribe("in");
  await clock.settle();
  await device.hangUp();
  await clock.runUntil(clock.now() + 3_605_000);
  expect(last(await client("device", keeps), "connack")["sessionPresent"]).toBe(false);
  expect(last(await client("device", { ...keeps, clean: true }), "connack")["sessionPresent"]).toBe(false);
  // 3.1.1 without clean session: an hour.
  const old = await client("old", { clean: false }, 4);
  await old.hangUp();
  await clock.runUntil(clock.now() + 3_000_000);
  expect(last(await client("old", { clean: false }, 4), "connack")["sessionPresent"]).toBe(true);
});

test("sends no more than the client's receive maximum before an acknowledgement", async () => {
  const { clock, client } = rig();
  const slow = await client("slow", { properties: { receiveMaximum: 3 } });
  slow.acknowledges = false;
  slow.subscribe("in");
  const fast = await client("fast");
  for (let index = 0; index < 10; index++) fast.publish("in", String(index));
  await clock.settle();
  expect(slow.payloads).toEqual(["0", "1", "2"]);
  slow.send({ cmd: "puback", messageId: slow.messages[0]?.messageId ?? 0, reasonCode: 0 });
  await clock.settle();
  expect(slow.payloads).toEqual(["0", "1", "2", "3"]);
});

test("a second connection of a client id kicks the first out and resumes its session", async () => {
  const { clock, client, told } = rig();
  const first = await client("twin", keeps);
  first.subscribe("in");
  await clock.settle();
  const second = await client("twin", keeps);
  await clock.settle();
  expect(last(first, "disconnect")["reasonCode"]).toBe(0x8e);
  expect(first.closed).toBe(true);
  expect(last(second, "connack")["sessionPresent"]).toBe(true);
  second.publish("in", "to myself");
  await clock.settle();
  expect(second.payloads).toEqual(["to myself"]);
  expect(
    told.flatMap((event) => (event.kind === "mqtt-connection" ? [[event.connected, event.reason]] : [])),
  ).toEqual([
    [true, "CONNECTED"],
    [false, "DUPLICATE_CLIENTID"],
    [true, "CONNECTED"],
  ]);
});

test("retained messages come at subscribing, and an empty one removes", async () => {
  const cloud = rig();
  const a = await cloud.client("a");
  a.publish("r/1", "kept", { retain: true });
  a.publish("r/2", "kept too", { retain: true });
  a.publish("r/2", "", { retain: true });
  await cloud.clock.settle();
  cloud.restart();
  const b = await cloud.client("b");
  b.subscribe("r/+");
  await cloud.clock.settle();
  expect(b.messages.map(({ payload, retain }) => [payload.toString(), retain])).toEqual([["kept", true]]);
});

test("a will goes out when the link breaks, after its delay, and not when the client says goodbye or comes back", async () => {
  const { clock, client } = rig();
  const watcher = await client("watcher");
  watcher.subscribe("wills/#");
  const will = (name: string, willDelayInterval: number) => ({
    ...keeps,
    will: {
      topic: `wills/${name}`,
      payload: Buffer.from(name),
      qos: 1 as const,
      properties: { willDelayInterval },
    },
  });
  await (await client("now", will("now", 0))).hangUp();
  await (await client("later", will("later", 60))).hangUp();
  await (await client("back", will("back", 60))).hangUp();
  (await client("polite", will("polite", 0))).send({ cmd: "disconnect", reasonCode: 0 });
  await clock.settle();
  await client("back", will("back", 60));
  expect(watcher.payloads).toEqual(["now"]);
  watcher.send({ cmd: "pingreq" });
  await clock.runUntil(clock.now() + 62_000);
  expect(watcher.payloads).toEqual(["now", "later"]);
});

test("a silent client is cut after one and a half times its keep alive", async () => {
  const { clock, client, told } = rig();
  const start = clock.now();
  const quiet = await client("quiet", { keepalive: 60 });
  await clock.runUntil(start + 89_000);
  expect(quiet.closed).toBe(false);
  await clock.runUntil(start + 92_000);
  expect(last(quiet, "disconnect")["reasonCode"]).toBe(0x8d);
  expect(told.at(-1)).toMatchObject({ connected: false, reason: "MQTT_KEEP_ALIVE_TIMEOUT" });
});

test("a link that never says CONNECT is closed", async () => {
  const { clock, broker } = rig();
  const [here, there] = linkPair();
  broker.accept(there, { certificateId: "c", kind: "in-process" });
  const silent = new BareClient(here);
  await clock.runUntil(clock.now() + 12_000);
  expect(silent.closed).toBe(true);
  expect(broker.statistics.connections).toBe(0);
});

test("a shared subscription gives each message to one member, in turn, passing over who is away", async () => {
  const { clock, client } = rig();
  const members = [await client("m1"), await client("m2"), await client("m3", keeps)];
  for (const member of members) member.subscribe("$share/g/work/#");
  const sender = await client("sender");
  await clock.settle();
  for (let index = 0; index < 6; index++) sender.publish("work/1", String(index));
  await clock.settle();
  expect(members.map((member) => member.payloads.length)).toEqual([2, 2, 2]);
  await members[2]?.hangUp();
  await clock.settle();
  for (let index = 0; index < 6; index++) sender.publish("work/1", String(index));
  await clock.settle();
  expect((members[0]?.payloads.length ?? 0) + (members[1]?.payloads.length ?? 0)).toBe(10);
});

test("holds to AWS's limits", async () => {
  const { clock, client } = rig();
  const ended = async (act: (device: BareClient) => void): Promise<unknown> => {
    const device = await client("limited");
    act(device);
    await clock.settle();
    return device.closed ? last(device, "disconnect")["reasonCode"] : "open";
  };
  expect(await ended((device) => device.publish("t", Buffer.alloc(128 * 1024)))).toBe("open");
  expect(await ended((device) => device.publish("t", Buffer.alloc(128 * 1024 + 1)))).toBe(0x95);
  expect(await ended((device) => device.publish("a/b/c/d/e/f/g/h", ""))).toBe("open");
  expect(await ended((device) => device.publish("a/b/c/d/e/f/g/h/i", ""))).toBe(0x90);
  expect(await ended((device) => device.publish("$aws/rules/mine/a/b/c/d/e/f/g/h", ""))).toBe("open");
  expect(await ended((device) => device.publish("t".repeat(257), ""))).toBe(0x90);
  expect(await ended((device) => device.publish("t", "", { qos: 2 }))).toBe(0x9b);
  expect(await ended((device) => device.subscribe(..."123456789".split("")))).toBe(0x97);

  const device = await client("many");
  for (let index = 0; index < 51; index++) device.subscribe(`topic/${index}`);
  device.subscribe("a/+b");
  await clock.settle();
  const granted = device.received.flatMap((packet) => (packet.cmd === "suback" ? packet.granted : []));
  expect(granted).toEqual([...Array.from({ length: 50 }).fill(1), 0x97, 0x8f]);
});

test("discards what one connection publishes beyond a hundred a second, and says so in MQTT 5", async () => {
  const { clock, client } = rig();
  const reader = await client("reader", { properties: { receiveMaximum: 100 } });
  reader.subscribe("in");
  const [five, three] = [await client("five"), await client("three", {}, 4)];
  const answers = (from: BareClient) =>
    from.received.flatMap((packet) => (packet.cmd === "puback" ? [packet.reasonCode ?? 0] : []));
  for (const sender of [five, three])
    for (let index = 0; index < 103; index++) {
      sender.publish("in", String(index));
      if (index % 50 === 49) await clock.settle();
    }
  await clock.settle();
  expect(reader.payloads).toHaveLength(200);
  expect(answers(five).filter((code) => code === 0x97)).toHaveLength(3);
  expect(answers(three)).toHaveLength(100);
  await clock.runUntil(clock.now() + 1000);
  five.publish("in", "later");
  await clock.settle();
  expect(reader.payloads.at(-1)).toBe("later");
  expect([five.closed, three.closed]).toEqual([false, false]);
});

test("retaining needs a right of its own, and a retained message expires", async () => {
  const { clock, client } = rig({
    authorize: (_peer, _id, action, topic) => action !== "retain" || topic === "may",
  });
  const sender = await client("sender");
  sender.publish("may", "kept", { retain: true, properties: { messageExpiryInterval: 60 } });
  sender.publish("mayNot", "refused", { retain: true });
  sender.publish("mayNot", "plain");
  await clock.settle();
  expect(sender.received.flatMap((packet) => (packet.cmd === "puback" ? [packet.reasonCode] : []))).toEqual([
    0x87, 0, 0,
  ]);
  const reader = await client("reader");
  reader.subscribe("may", "mayNot");
  await clock.settle();
  expect(reader.payloads).toEqual(["kept"]);
  await clock.runUntil(clock.now() + 61_000);
  const late = await client("late");
  late.subscribe("may");
  await clock.settle();
  expect(late.payloads).toEqual([]);
});

test("what waits for an absent client is bounded: the oldest goes", async () => {
  const { clock, client, broker } = rig({ limits: { waitingPerSessionMax: 5 } });
  const away = await client("away", keeps);
  away.subscribe("in");
  await clock.settle();
  await away.hangUp();
  const sender = await client("sender");
  for (let index = 0; index < 8; index++) sender.publish("in", String(index));
  await clock.settle();
  expect((await client("away", keeps)).payloads).toEqual(["3", "4", "5", "6", "7"]);
  expect(broker.statistics.dropped).toBe(3);
});

test("what policy denies gets 0x87 in MQTT 5 and ends the connection in 3.1.1", async () => {
  const { clock, client } = rig({
    authorize: (_peer, clientId, action, resource) =>
      clientId !== "stranger" && !(action !== "connect" && resource.startsWith("secret")),
  });
  const five = await client("five");
  five.publish("secret/1", "x");
  five.subscribe("secret/#", "open");
  await clock.settle();
  expect(last(five, "puback")["reasonCode"]).toBe(0x87);
  expect(last(five, "suback")["granted"]).toEqual([0x87, 1]);
  expect(five.closed).toBe(false);
  five.publish("secret/1", "x", { qos: 0 });
  await clock.settle();
  expect(five.closed).toBe(true);
  for (const act of [
    (c: BareClient) => c.publish("secret/1", "x"),
    (c: BareClient) => c.subscribe("secret/1"),
  ]) {
    const three = await client("three", {}, 4);
    act(three);
    await clock.settle();
    expect(three.closed).toBe(true);
  }
  const stranger = await client("stranger");
  expect(last(stranger, "connack")["reasonCode"]).toBe(0x87);
  expect(last(await client("stranger", {}, 4), "connack")["returnCode"]).toBe(5);
  // Receiving is asked at each delivery.
  const reader = await client("reader");
  reader.subscribe("#");
  (await client("writer")).publish("open/1", "seen");
  await clock.settle();
  expect(reader.payloads).toEqual(["seen"]);
});

test("AWS's own topics go to their handlers alone, and answers come by publish", async () => {
  const { clock, client, broker } = rig();
  broker.handle("$aws/things/+/ask", ({ topic, payload }) => broker.publish(`${topic}/accepted`, payload));
  const device = await client("device");
  device.subscribe("$aws/things/device/ask/accepted", "$aws/things/device/ask");
  device.publish("$aws/things/device/ask", "hello");
  await clock.settle();
  expect(device.messages.map(({ topic }: IPublishPacket) => topic)).toEqual([
    "$aws/things/device/ask/accepted",
  ]);
});

test("a thousand clients on in-memory links connect, subscribe and talk within seconds", async () => {
  const { clock, client, broker } = rig();
  const started = performance.now();
  const devices: BareClient[] = [];
  for (let index = 0; index < 1000; index++) {
    const device = await client(`d${index}`, keeps);
    device.subscribe(`to/d${index}`, `all`, `also/d${index}/+`);
    devices.push(device);
  }
  for (const [index, device] of devices.entries()) device.publish(`to/d${(index + 1) % 1000}`, "hi");
  broker.publish("all", "everyone");
  await clock.settle();
  expect(devices.every((device) => device.payloads.length === 2)).toBe(true);
  expect(performance.now() - started).toBeLessThan(10_000);
});
