import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { encodeMessage } from "@coalmine/ipc/message";
import { messageTypes, TERMINATE_STREAM, toMessage, type RpcMessage } from "@coalmine/ipc/rpc-message";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { coreDevice } from "../../../test/artifacts-setup.ts";
import { fuzzed } from "../../../test/fuzzed.ts";
import { processesIn, processRig, until } from "../testing/process-rig.ts";

/** A process device with one component, whose token and credentials the attackers below have, or lack. */
let rig: Awaited<ReturnType<typeof processRig>>;
let socketPath: string;
let token: string;
let credentials: URL;
beforeAll(async () => {
  rig = await processRig(await coreDevice());
  const root = await rig.rootOf(await rig.operator.register("core-1"));
  socketPath = join(root, "ipc.socket");
  const everything = { operations: ["*"], resources: ["*"] };
  await rig.operator.publish("com.example.Shell", "1.0.0", {
    Configuration: { accessControl: { "aws.greengrass.ipc.pubsub": { one: everything } } },
    Dependencies: { "aws.greengrass.TokenExchangeService": { VersionRequirement: ">=2.0.0" } },
    Lifecycle: { Run: "exec sleep 1000" },
  });
  await rig.start(root);
  await until("a deployment is taken", () =>
    rig.operator.deploy("thinggroup/fleet", { "com.example.Shell": { componentVersion: "1.0.0" } }).then(
      () => true,
      () => false,
    ),
  );
  await until("its component runs", async () => (await processesIn(root)).length === 1);
  const [pid] = await processesIn(root);
  const environment = new Map(
    readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
  token = environment.get("SVCUID") ?? "";
  credentials = new URL(environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") ?? "");
});
afterAll(() => rig.close());

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function frame(message: Partial<RpcMessage>, operation?: string): Uint8Array {
  const headers =
    operation === undefined ? [] : [{ name: "operation", type: "string" as const, value: operation }];
  return encodeMessage(
    toMessage({ type: 0, flags: 0, streamId: 0, headers, payload: new Uint8Array(), ...message }),
  );
}
const hello = (authToken: unknown): Uint8Array =>
  frame({
    type: messageTypes.connect,
    headers: [{ name: ":version", type: "string", value: "0.1.0" }],
    payload: json({ authToken }),
  });
const publish = (streamId: number, message: unknown = {}): Uint8Array =>
  frame(
    { streamId, payload: json({ topic: "t", publishMessage: { jsonMessage: { message } } }) },
    "aws.greengrass#PublishToTopic",
  );

/** Gives up on a device that neither answers nor closes. */
const PATIENCE_MS = 60_000;

interface Attacker {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly closed: Promise<void>;
}

async function attacker(path: string | { port: number }, bytes: Uint8Array): Promise<Attacker> {
  const socket = typeof path === "string" ? connect(path) : connect(path);
  // What the device cuts off is what is wanted of it.
  socket.on("error", () => undefined);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  await new Promise<void>((open) => socket.once("connect", open));
  socket.write(bytes);
  return { socket, heard: () => Buffer.concat(chunks).toString("latin1"), closed };
}

/** What the device says to it before it closes. */
async function refusalOf(bytes: Uint8Array, path: string | { port: number } = socketPath): Promise<string> {
  const { socket, heard, closed } = await attacker(path, bytes);
  const late = systemClock.sleep(PATIENCE_MS).then(() => {
    throw new Error("the device leaves it open");
  });
  await Promise.race([closed, late]);
  socket.destroy();
  return heard();
}

/** The device lives, and whoever behaves is served. */
async function serves(): Promise<void> {
  const [device] = rig.children;
  expect([device?.exitCode, device?.signalCode]).toEqual([null, null]);
  const client = await attacker(socketPath, Buffer.concat([hello(token), publish(1)]));
  await until("a client is served", async () => client.heard().includes("PublishToTopicResponse"));
  client.socket.destroy();
}

function residentMib(): number {
  const status = readFileSync(`/proc/${rig.children[0]?.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** As long as it says, and its checksum is right; nothing follows. */
function prelude(totalBytes: number): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(totalBytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}
function spoilt(): Uint8Array {
  const bytes = publish(1);
  bytes[bytes.length - 6] = (bytes.at(-6) ?? 0) ^ 1;
  return bytes;
}

test.each([
  ["no frame", () => Buffer.alloc(64, 1), ""],
  ["a frame that claims 25 MiB", () => prelude(25 * 1024 * 1024), ""],
  ["a frame with another checksum", () => Buffer.concat([hello(token), spoilt()]), ""],
  ["a request before Connect", () => publish(1), "connect first"],
  ["Connect twice", () => Buffer.concat([hello(token), hello(token)]), "connected already"],
  ["a stream id left out", () => Buffer.concat([hello(token), publish(2)]), "stream ids go up by one"],
  ["a stream id again", () => Buffer.concat([hello(token), over(1), publish(1)]), "stream 1 is closed"],
  ["a frame without its headers", () => encodeMessage({ headers: [], payload: new Uint8Array() }), "lacks"],
  ["more streams than one connection holds", () => Buffer.concat([hello(token), ...streams(4097)]), "4096"],
])(
  "a client that sends %s is told so and closed; the others are served [core-device-8.39]",
  async (_, bytes, word) => {
    expect(await refusalOf(bytes())).toContain(word);
    await serves();
  },
);

/** A stream that ends with the message that opens it. */
const over = (streamId: number): Uint8Array =>
  frame({ streamId, flags: TERMINATE_STREAM }, "aws.greengrass#GetConfiguration");
const streams = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    frame({ streamId: index + 1, payload: json({ topic: "t" }) }, "aws.greengrass#SubscribeToTopic"),
  );

test("whatever is written to the socket, the device goes on serving [core-device-8.39]", async () => {
  const operation = fc.constantFrom(
    "SubscribeToTopic",
    "GetConfiguration",
    "UpdateState",
    "PublishToIoTCore",
    "",
  );
  const request = fc
    .record({
      streamId: fc.integer({ min: -1, max: 3 }),
      type: fc.nat(9),
      flags: fc.nat(3),
      payload: fc.json(),
    })
    .chain((message) => operation.map((name) => ({ ...message, name })))
    .map(({ payload, name, ...message }) =>
      frame({ ...message, payload: new TextEncoder().encode(payload) }, `aws.greengrass#${name}`),
    );
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 80 }), request);
  const cut = fc.tuple(request, fc.nat(60)).map(([whole, length]) => whole.subarray(0, length));
  await fuzzed(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(fc.oneof(bytes, cut), { maxLength: 5 }),
      async (isLetIn, chunks) => {
        const { socket, closed } = await attacker(socketPath, isLetIn ? hello(token) : new Uint8Array());
        for (const chunk of chunks) socket.write(chunk);
        socket.end();
        await Promise.race([closed, systemClock.sleep(PATIENCE_MS)]);
        expect(socket.destroyed).toBe(true);
      },
    ),
  );
  await serves();
});

test("neither clients that say nothing nor one that does not read take the device from the others [core-device-8.39]", async () => {
  const silent = await Promise.all(Array.from({ length: 300 }, () => attacker(socketPath, new Uint8Array())));
  await serves();
  for (const { socket } of silent) socket.destroy();

  const deaf = await attacker(socketPath, Buffer.concat([hello(token), ...streams(1)]));
  await until("it has subscribed", async () => deaf.heard().includes("SubscribeToTopicResponse"));
  deaf.socket.pause();
  const [text, count] = ["x".repeat(1024 * 1024), 56];
  const loud = await attacker(socketPath, hello(token));
  for (let streamId = 1; streamId <= count; streamId++) loud.socket.write(publish(streamId, { text }));
  await until("all is published", async () => loud.heard().split("PublishToTopicResponse").length > count);
  loud.socket.destroy();
  expect(residentMib()).toBeLessThan(400);
  await serves();
  deaf.socket.resume();
  await Promise.race([deaf.closed, systemClock.sleep(PATIENCE_MS)]);
  expect(deaf.socket.destroyed).toBe(true);
  expect(deaf.heard().length).toBeLessThan(count * text.length);
});

test("a token is a component's or none, whatever it is made of [core-device-8.39]", async () => {
  const word = fc.oneof(
    fc.constantFrom("", " ", "__proto__", "constructor", "_UID", "com.example.Shell"),
    fc.string({ maxLength: 40 }),
    fc.constant("x".repeat(100_000)),
    // Nearly right.
    fc.nat(15).map((at) => `${token.slice(0, at)}${token.slice(at + 1)}`),
    fc.constantFrom(` ${token}`, `${token}\0`, token.toLowerCase()),
  );
  await fuzzed(
    fc.asyncProperty(fc.oneof(word, fc.jsonValue()), async (wrong) => {
      fc.pre(wrong !== token);
      const answer = await refusalOf(Buffer.concat([hello(wrong), publish(1)]));
      expect(answer).not.toContain("PublishToTopicResponse");
    }),
    { seconds: 1 },
  );
  const port = { port: Number(credentials.port) };
  const ask = (authorization: string, path = credentials.pathname, method = "GET"): Promise<string> =>
    refusalOf(
      Buffer.from(
        `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ${authorization}\r\n\r\n`,
        "latin1",
      ),
      port,
    );
  const path = fc.constantFrom(credentials.pathname, "/", "//", `${credentials.pathname}../`, "*", "a b");
  await fuzzed(
    fc.asyncProperty(word, path, fc.constantFrom("GET", "POST", "BREW"), async (wrong, where, method) => {
      // White space around it is not of a header's value.
      fc.pre(wrong.trim() !== token);
      expect(await ask(wrong, where, method)).toMatch(/^(HTTP\/1\.1 4|$)/);
    }),
    { seconds: 1 },
  );
  expect(await ask(token)).toContain('"AccessKeyId":"ASIA');
  await serves();
});
