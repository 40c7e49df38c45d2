import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeMessage, MessageDecoder } from "@coalmine/ipc/message";
import { fromMessage, messageTypes, TERMINATE_STREAM, toMessage } from "@coalmine/ipc/rpc-message";
import { socketLink } from "@coalmine/ipc/socket-link";
import { serveOnUnixSocket } from "@coalmine/ipc/unix-socket";
import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { CoreDevice } from "../../simulator/core-device/core-device.ts";
import { allowed } from "../../simulator/core-device/testing/component.ts";
import { groupDocument } from "../../simulator/core-device/testing/device.ts";
import { MemoryCloud } from "../../simulator/core-device/testing/memory-cloud.ts";
import { memoryRoot } from "../../simulator/core-device/testing/memory-root.ts";
import { ScriptedLauncher } from "../../simulator/core-device/testing/scripted-launcher.ts";

/**
 * A server of its own process: `device`, a core device with one component; `echo`, which takes each frame apart, reads its
 * JSON and sends it back; `relay`, which sends back whatever bytes come; `canned`, which answers the handshake and every request with the same few bytes. It writes one
 * line: where it listens, and the token that it lets in.
 */
const folder = mkdtempSync(join(tmpdir(), "coalmine-ipc-bench-"));
const [kind = "device"] = process.argv.slice(2);
const started = kind === "device" ? await device() : await plain();
process.stdout.write(`${JSON.stringify(started)}\n`);

async function device() {
  const cloud = new MemoryCloud();
  const launcher = new ScriptedLauncher();
  const device = new CoreDevice({
    thingName: "T",
    region: "us-east-1",
    clock: systemClock,
    random: systemRandom,
    root: memoryRoot(systemClock),
    cloudLink: cloud,
    dataPlane: cloud,
    launcher,
    platform: { os: "linux", architecture: "amd64" },
    nucleusVersion: "2.18.0",
    environment: {},
    log: silentLog,
    nucleusConfiguration: { deploymentPollingFrequencySeconds: 1 },
  });
  const running = new Promise<string>((resolve) =>
    device.watch((event) => {
      if (event.kind === "component" && event.component.name === "A" && event.component.state === "RUNNING")
        resolve(launcher.launched.at(-1)?.command.environment["SVCUID"] ?? "");
    }),
  );
  await device.start();
  const Configuration = allowed(
    "aws.greengrass.ipc.pubsub",
    ["PublishToTopic", "SubscribeToTopic"],
    ["bench/*"],
  );
  cloud.addComponent("A", "1.0.0", { Lifecycle: { Run: "stay" }, Configuration });
  cloud.deployJob("job", groupDocument(1, { A: { version: "1.0.0" } }));
  const token = await running;
  const { path } = await serveOnUnixSocket(device.service, folder);
  return { path, token };
}

async function plain() {
  const path = join(folder, "ipc.socket");
  const server = createServer((socket) => {
    if (kind === "relay") {
      socket.pipe(socket);
      return;
    }
    const link = socketLink(socket);
    const decoder = new MessageDecoder();
    const send = (bytes: Uint8Array): void => void link.write(bytes);
    link.onData((chunk) =>
      decoder.push(chunk, (message) => {
        if (kind === "echo") {
          JSON.parse(new TextDecoder().decode(message.payload));
          send(encodeMessage(message));
          return;
        }
        const { type, streamId } = fromMessage(message);
        const isConnect = type === messageTypes.connect;
        send(
          encodeMessage(
            toMessage({
              type: isConnect ? messageTypes.connectAck : messageTypes.applicationMessage,
              flags: isConnect ? 1 : TERMINATE_STREAM,
              streamId,
              headers: isConnect
                ? []
                : [
                    { name: ":content-type", type: "string", value: "application/json" },
                    {
                      name: "service-model-type",
                      type: "string",
                      value: "aws.greengrass#PublishToTopicResponse",
                    },
                  ],
              payload: isConnect ? new Uint8Array() : new TextEncoder().encode("{}"),
            }),
          ),
        );
      }),
    );
  });
  await new Promise<void>((listening) => server.listen(path, listening));
  return { path, token: "token" };
}
