import fc from "fast-check";
import type { Link, LinkClosed } from "@coalmine/ports";
import { expect, test } from "vitest";
import { fuzzed } from "../../../test/fuzzed.ts";
import { encodeMessage, MessageDecoder } from "./message.ts";
import {
  fromMessage,
  messageTypes,
  TERMINATE_STREAM,
  textHeader,
  toMessage,
  type RpcMessage,
} from "./rpc-message.ts";
import { serveIpc } from "./serve-ipc.ts";
import { SmallService } from "./small-service.ts";

const { applicationMessage, applicationError, connect, connectAck, ping, pingResponse, protocolError } =
  messageTypes;

/** A client that says exactly what it is told, over a link in memory. */
function rawClient({ reads = true } = {}) {
  const service = new SmallService();
  service.tokens.set("TOKEN", "test.A");
  const heard: RpcMessage[] = [];
  const decoder = new MessageDecoder();
  let receive: (bytes: Uint8Array) => void = () => {};
  let closed: (why: LinkClosed) => void = () => {};
  let isOpen = true;
  let writes = 0;
  const link: Link = {
    write: async (bytes) => {
      writes++;
      if (!reads) await new Promise(() => {});
      decoder.push(bytes, (message) => heard.push(fromMessage(message)));
    },
    onData: (handler) => (receive = handler),
    onClose: (handler) => (closed = handler),
    close: async () => {
      isOpen = false;
      closed({ by: "us" });
    },
  };
  const connection = serveIpc(service, link);
  const send = (message: Partial<RpcMessage>) =>
    receive(
      encodeMessage(
        toMessage({
          type: applicationMessage,
          flags: 0,
          streamId: 0,
          headers: [],
          payload: new Uint8Array(),
          ...message,
        }),
      ),
    );
  return {
    service,
    heard,
    send,
    connection,
    receive: (bytes: Uint8Array) => receive(bytes),
    isOpen: () => isOpen,
    writes: () => writes,
    hangUp: () => closed({ by: "other", reason: "gone" }),
    connect: (authToken: unknown, version = "0.1.0") =>
      send({
        type: connect,
        headers: [{ name: ":version", type: "string", value: version }],
        payload: json({ authToken }),
      }),
    open: (streamId: number, operation: string, request: object, flags = 0) =>
      send({
        streamId,
        flags,
        headers: [{ name: "operation", type: "string", value: `aws.greengrass#${operation}` }],
        payload: json(request),
      }),
  };
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const text = (message: RpcMessage | undefined) => new TextDecoder().decode(message?.payload);
const settle = () => new Promise<void>((done) => setImmediate(done));

test("a token that belongs to a component is accepted, with flags 1 and nothing else", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  await settle();
  expect(client.heard).toEqual([
    { type: connectAck, flags: 1, streamId: 0, headers: [], payload: new Uint8Array() },
  ]);
  expect(client.connection.principal()).toBe("test.A");
  expect(client.isOpen()).toBe(true);
});

test("a wrong token, a wrong version and no token are refused with flags 0, and the link is closed", () => {
  for (const [token, version] of [
    ["WRONG", "0.1.0"],
    ["TOKEN", "0.2.0"],
    [undefined, "0.1.0"],
  ] as const) {
    const client = rawClient();
    client.connect(token, version);
    expect(client.heard.map(({ type, flags }) => [type, flags])).toEqual([[connectAck, 0]]);
    expect(client.isOpen()).toBe(false);
  }
});

test("whatever breaks the protocol is told as ProtocolError, then the link is closed", () => {
  const violations: ((client: ReturnType<typeof rawClient>) => void)[] = [
    (client) => client.connect("TOKEN"),
    (client) => client.open(2, "ListComponents", {}),
    (client) => client.open(0, "ListComponents", {}),
    (client) => client.open(-1, "ListComponents", {}),
    (client) => client.send({ streamId: 1 }),
    (client) => client.send({ streamId: 1, type: ping }),
    (client) => client.send({ type: connectAck }),
    (client) => client.send({ type: 99 }),
    (client) => client.receive(encodeMessage({ headers: [], payload: new Uint8Array() })),
  ];
  for (const [index, violate] of violations.entries()) {
    const client = rawClient();
    client.connect("TOKEN");
    violate(client);
    const last = client.heard.at(-1);
    expect(last?.type, `violation ${index}`).toBe(protocolError);
    expect(JSON.parse(text(last))).toEqual({ message: expect.any(String) });
    expect(client.isOpen()).toBe(false);
  }
});

test("anything but Connect before the acknowledgement is a ProtocolError", () => {
  const client = rawClient();
  client.open(1, "ListComponents", {});
  expect(client.heard.map(({ type }) => type)).toEqual([protocolError]);
  expect(client.isOpen()).toBe(false);
});

test("a ping is answered with its payload and its own headers", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  client.send({
    type: ping,
    headers: [
      { name: "mine", type: "int8", value: 7 },
      { name: ":content-type", type: "string", value: "x" },
    ],
    payload: Uint8Array.of(1, 2),
  });
  await settle();
  expect(client.heard.at(-1)).toEqual({
    type: pingResponse,
    flags: 0,
    streamId: 0,
    headers: [{ name: "mine", type: "int8", value: 7 }],
    payload: Uint8Array.of(1, 2),
  });
});

test("a request is answered once, with the response shape, and its stream is over", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  client.open(1, "UpdateState", { state: "RUNNING" });
  await settle();
  const answer = client.heard.at(-1);
  expect(answer).toMatchObject({ type: applicationMessage, flags: TERMINATE_STREAM, streamId: 1 });
  expect(answer && textHeader(answer, "service-model-type")).toBe("aws.greengrass#UpdateStateResponse");
  expect(answer && textHeader(answer, ":content-type")).toBe("application/json");
  // Both sides may end a stream at once; a message without the flag is too late.
  client.send({ streamId: 1, flags: TERMINATE_STREAM });
  expect(client.isOpen()).toBe(true);
  client.send({ streamId: 1 });
  expect(client.heard.at(-1)?.type).toBe(protocolError);
});

test("a streaming operation answers with its stream open, and events carry the event union's shape", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  client.open(1, "SubscribeToTopic", { topic: "t" });
  await settle();
  client.open(2, "PublishToTopic", { topic: "t", publishMessage: { jsonMessage: { message: { a: 1 } } } });
  await settle();
  const [, response, event] = client.heard;
  expect(response).toMatchObject({ flags: 0, streamId: 1 });
  expect(response && textHeader(response, "service-model-type")).toBe(
    "aws.greengrass#SubscribeToTopicResponse",
  );
  expect(event).toMatchObject({ type: applicationMessage, flags: 0, streamId: 1 });
  expect(event && textHeader(event, "service-model-type")).toBe("aws.greengrass#SubscriptionResponseMessage");
  expect(JSON.parse(text(event))).toEqual({ jsonMessage: { message: { a: 1 }, context: { topic: "t" } } });
});

test("the client ends a stream without an answer, the server with an empty message", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  client.open(1, "SubscribeToTopic", { topic: "t" });
  client.open(2, "SubscribeToTopic", { topic: "t" });
  await settle();
  client.send({ streamId: 1, flags: TERMINATE_STREAM });
  expect(client.service.subscriptions("SubscribeToTopic")).toBe(1);
  expect(client.heard).toHaveLength(3);
  client.service.hangUp("SubscribeToTopic");
  await settle();
  expect(client.heard.at(-1)).toEqual({
    type: applicationMessage,
    flags: TERMINATE_STREAM,
    streamId: 2,
    headers: [],
    payload: new Uint8Array(),
  });
  expect(client.service.subscriptions("SubscribeToTopic")).toBe(0);
});

test("an opening message that ends its stream opens nothing, but uses its id up", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  client.open(1, "UpdateState", { state: "RUNNING" }, TERMINATE_STREAM);
  await settle();
  expect(client.heard).toHaveLength(1);
  expect(client.service.states.size).toBe(0);
  client.open(2, "UpdateState", { state: "RUNNING" });
  await settle();
  expect(client.service.states.get("test.A")).toBe("RUNNING");
});

test.each([
  { count: 16, writes: 1 },
  { count: 160, writes: 2 },
])(
  "what arrives at once is answered in writes of 32 KiB, and of what is left: $count messages in $writes",
  async ({ count, writes }) => {
    const client = rawClient();
    client.connect("TOKEN");
    client.open(1, "SubscribeToTopic", { topic: "t" });
    await settle();
    const before = client.writes();
    const published = Array.from({ length: count }, (_, n) =>
      encodeMessage(
        toMessage({
          type: applicationMessage,
          flags: 0,
          streamId: n + 2,
          headers: [{ name: "operation", type: "string", value: "aws.greengrass#PublishToTopic" }],
          payload: json({ topic: "t", publishMessage: { jsonMessage: { message: { n } } } }),
        }),
      ),
    );
    client.receive(Buffer.concat(published));
    await settle();
    expect(client.writes() - before).toBe(writes);
    const heard = client.heard.slice(2);
    const events = heard.filter(({ streamId }) => streamId === 1);
    expect(events.map((event) => (JSON.parse(text(event)) as { jsonMessage: object }).jsonMessage)).toEqual(
      published.map((_, n) => ({ message: { n }, context: { topic: "t" } })),
    );
    expect(heard.filter(({ streamId }) => streamId > 1).map(({ streamId }) => streamId)).toEqual(
      published.map((_, n) => n + 2),
    );
  },
);

test("when the link goes every subscription goes with it", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  client.open(1, "SubscribeToTopic", { topic: "t" });
  await settle();
  client.hangUp();
  expect(client.service.subscriptions("SubscribeToTopic")).toBe(0);
});

test("each kind of refusal has its own form [core-device-8.37]", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  const publish = (topic: string) => ({ topic, publishMessage: { jsonMessage: { message: {} } } });
  client.open(1, "PublishToTopic", publish("denied/t"));
  client.open(2, "PublishToTopic", publish("broken"));
  client.open(3, "NoSuchThing", {});
  client.open(4, "PauseComponent", { componentName: "x" });
  client.send({
    streamId: 5,
    headers: [{ name: "operation", type: "string", value: "aws.greengrass#UpdateState" }],
    payload: new TextEncoder().encode("{no json"),
  });
  await settle();
  const byStream = new Map(client.heard.map((message) => [message.streamId, message]));
  for (let id = 1; id <= 5; id++)
    expect(byStream.get(id)).toMatchObject({ type: applicationError, flags: TERMINATE_STREAM });
  const shape = (id: number) =>
    textHeader(byStream.get(id) ?? { headers: [] }, "service-model-type")?.replace("aws.greengrass#", "");
  const body = (id: number) => JSON.parse(text(byStream.get(id))) as unknown;
  expect(shape(1)).toBe("UnauthorizedError");
  expect(body(1)).toMatchObject({ message: "no denied/t for you", _errorCode: "UnauthorizedError" });
  expect(shape(2)).toBe("ServiceError");
  expect(body(2)).toMatchObject({ message: "the bus is broken" });
  expect(shape(3)).toBeUndefined();
  expect(body(3)).toEqual({
    error: "Unsupported Operation",
    message: "aws.greengrass#NoSuchThing is an unsupported operation.",
  });
  expect(shape(4)).toBe("ServiceError");
  expect(body(4)).toMatchObject({ message: "Operation PauseComponent is not supported by Greengrass" });
  expect(shape(5)).toBe("ServiceError");
});

test("a client that does not read is dropped before it fills the memory", async () => {
  const client = rawClient({ reads: false });
  client.connect("TOKEN");
  client.open(1, "SubscribeToTopic", { topic: "t" });
  await settle();
  const event = { jsonMessage: { message: { text: "x".repeat(8_000_000) }, context: { topic: "t" } } };
  for (let sent = 0; sent < 5; sent++)
    client.service.tell("SubscribeToTopic", "SubscriptionResponseMessage", event);
  expect(client.isOpen()).toBe(true);
  for (let sent = 0; sent < 5; sent++)
    client.service.tell("SubscribeToTopic", "SubscriptionResponseMessage", event);
  expect(client.isOpen()).toBe(false);
  expect(client.service.subscriptions("SubscribeToTopic")).toBe(0);
});

test("what is too large to send becomes an internal error of its stream, and the connection goes on [core-device-8.37]", async () => {
  const client = rawClient();
  client.connect("TOKEN");
  client.service.configurations.set("test.A", { text: "x".repeat(25 * 1024 * 1024) });
  client.open(1, "GetConfiguration", { keyPath: [] });
  await settle();
  const answer = client.heard.at(-1);
  expect(answer).toMatchObject({ type: applicationError, flags: TERMINATE_STREAM, streamId: 1 });
  expect(answer && textHeader(answer, ":content-type")).toBe("text/plain");
  expect(text(answer)).toBe("InternalServerError");
  client.open(2, "UpdateState", { state: "RUNNING" });
  await settle();
  expect(client.heard.at(-1)).toMatchObject({ type: applicationMessage, streamId: 2 });
});

test("no bytes whatsoever make the server throw", async () => {
  await fuzzed(
    fc.property(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc
            .record({
              type: fc.integer({ min: -1, max: 9 }),
              flags: fc.integer({ min: 0, max: 3 }),
              streamId: fc.integer({ min: -1, max: 4 }),
              operation: fc.constantFrom("aws.greengrass#SubscribeToTopic", "constructor", ""),
              payload: fc.oneof(
                fc.uint8Array({ maxLength: 20 }),
                fc.json().map((value) => json(value)),
              ),
            })
            .map(({ operation, ...rest }) =>
              encodeMessage(
                toMessage({ ...rest, headers: [{ name: "operation", type: "string", value: operation }] }),
              ),
            ),
        ),
        { maxLength: 12 },
      ),
      (chunks) => {
        const client = rawClient();
        client.connect("TOKEN");
        for (const chunk of chunks) client.receive(chunk);
        client.hangUp();
        expect(client.service.subscriptions("SubscribeToTopic")).toBe(0);
      },
    ),
  );
});
