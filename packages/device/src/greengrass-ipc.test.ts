import { execFile } from "node:child_process";
import { mkdtemp, mkdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient, createDefaultClientConfig } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import { describeIpcPort } from "@coalmine/ipc/port-suite";
import { SmallService } from "@coalmine/ipc/small-service";
import { serveOnUnixSocket, type UnixSocket } from "@coalmine/ipc/unix-socket";
import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connectGreengrassIpc } from "./greengrass-ipc.ts";

let root: string;
let service: SmallService;
let socket: UnixSocket;
const failures: string[] = [];

async function serve(): Promise<void> {
  root = await mkdtemp(join(tmpdir(), "gg-"));
  service = new SmallService();
  service.tokens.set("TOKEN_A", "test.A").set("TOKEN_B", "test.B");
  socket = await serveOnUnixSocket(service, root);
  failures.length = 0;
}

const connect = (authToken: string, socketPath = socket.path) =>
  connectGreengrassIpc({
    clock: systemClock,
    log: silentLog,
    process: { fail: (reason) => failures.push(reason) },
    socketPath,
    authToken,
  });

async function stop(): Promise<void> {
  await socket.close();
  await rm(root, { recursive: true });
}

describeIpcPort("the official client's Ipc over a Unix socket", async () => {
  await serve();
  const [a, b] = await Promise.all([connect("TOKEN_A"), connect("TOKEN_B")]);
  const close = async () => {
    await Promise.all([a.close(), b.close()]);
    await stop();
  };
  return { service, a, b, failures, close };
});

beforeEach(async ({ task }) => {
  if (task.suite === undefined) await serve();
});
afterEach(async ({ task }) => {
  if (task.suite === undefined) await stop();
});

test("everybody may open the socket", async () => {
  expect(socket.pathForComponents).toBe(socket.path);
  expect((await stat(socket.path)).mode & 0o666).toBe(0o666);
});

test("a token that is no component's is refused with a sentence", async () => {
  await expect(connect("WRONG")).rejects.toMatchObject({
    name: "IpcError",
    message: expect.stringContaining("SVCUID"),
  });
});

test("where nobody listens connecting fails instead of hanging", async () => {
  await expect(connect("TOKEN_A", join(root, "nothing.socket"))).rejects.toMatchObject({ name: "IpcError" });
});

test("when the device goes away the process fails, requests in flight are rejected, later ones as well", async () => {
  const ipc = await connect("TOKEN_A");
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let asked = false;
  service.open = async () => {
    asked = true;
    await held;
    return {};
  };
  const inFlight = ipc.updateState("RUNNING");
  const refused = expect(inFlight).rejects.toMatchObject({ code: "Disconnected" });
  await vi.waitFor(() => expect(asked).toBe(true));
  await socket.close();
  await refused;
  release();
  await vi.waitFor(() => expect(failures).toHaveLength(1));
  expect(failures[0]).toContain("connection to Greengrass is gone");
  await expect(ipc.updateState("RUNNING")).rejects.toMatchObject({ code: "Disconnected" });
  socket = await serveOnUnixSocket(service, root);
});

test("closing it ourselves is no failure, and the device forgets its subscriptions", async () => {
  const ipc = await connect("TOKEN_A");
  await ipc.subscribe("t", () => {});
  await ipc.close();
  await vi.waitFor(() => expect(service.subscriptions("SubscribeToTopic")).toBe(0));
  expect(failures).toEqual([]);
});

test("a message of megabytes passes", async () => {
  const ipc = await connect("TOKEN_A");
  const text = "ü".repeat(2_000_000);
  const heard: number[] = [];
  await ipc.subscribe("big", (_topic, message) =>
    heard.push("json" in message ? JSON.stringify(message.json).length : 0),
  );
  await ipc.publish("big", { json: { text } });
  await vi.waitFor(() => expect(heard).toEqual(['{"text":""}'.length + 2_000_000]));
  await ipc.close();
});

test("where the root's path is too long for a socket, a process in its work folder gets there by a relative one", async () => {
  const long = join(root, "a-folder-with-a-long-name".repeat(4));
  const work = join(long, "work", "test.A");
  await mkdir(work, { recursive: true });
  const deep = await serveOnUnixSocket(service, long);
  expect(deep.pathForComponents).toBe("../../ipc.socket");
  const url = (name: string) => JSON.stringify(import.meta.resolve(name));
  const program = `
    import { connectGreengrassIpc } from ${url("./greengrass-ipc.ts")};
    import { systemClock as clock } from ${url("@coalmine/runtime/system-clock")};
    const log = { warn() {}, error() {} };
    const ipc = await connectGreengrassIpc({ clock, log, process: { fail: console.error } });
    await ipc.updateState("RUNNING");
    await ipc.close();`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: work,
    env: {
      SVCUID: "TOKEN_A",
      AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: deep.pathForComponents,
    },
  });
  expect(service.states.get("test.A")).toBe("RUNNING");
  await deep.close();
}, 20_000);

test("the official client itself publishes, subscribes and reads a modelled error", async () => {
  const config = createDefaultClientConfig();
  const client = createClient({
    ...config,
    hostName: socket.path,
    connectTransform: async ({ message }) => ({ ...message, payload: '{"authToken":"TOKEN_B"}' }),
  });
  await client.connect();
  const heard: unknown[] = [];
  const subscription = client.subscribeToTopic({ topic: "plain" });
  subscription.on("message", (message) => heard.push(message));
  expect(await subscription.activate()).toEqual({ topicName: "plain" });
  await client.publishToTopic({ topic: "plain", publishMessage: { jsonMessage: { message: { x: 1 } } } });
  await vi.waitFor(() =>
    expect(heard).toEqual([{ jsonMessage: { message: { x: 1 }, context: { topic: "plain" } } }]),
  );
  await expect(
    client.publishToTopic({ topic: "denied/x", publishMessage: { jsonMessage: { message: {} } } }),
  ).rejects.toMatchObject({
    serviceError: { message: "no denied/x for you", _errorCode: "UnauthorizedError" },
  });
  await expect(client.getConfiguration({ keyPath: ["none"] })).rejects.toMatchObject({
    serviceError: { _errorCode: "ResourceNotFoundError" },
  });
  await expect(client.pauseComponent({ componentName: "x" })).rejects.toMatchObject({
    serviceError: { message: "Operation PauseComponent is not supported by Greengrass" },
  });
  let ended = false;
  subscription.on("ended", () => (ended = true));
  service.hangUp("SubscribeToTopic");
  await vi.waitFor(() => expect(ended).toBe(true));
  await client.close();
});
