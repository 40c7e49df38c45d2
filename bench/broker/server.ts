import { createServer } from "node:tls";
import { generate, parser, type Packet } from "mqtt-packet";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { openDiskStore } from "../../simulator/cloud/store/disk-store.ts";
import { DeviceDoor } from "../../simulator/cloud/device-door/device-door.ts";
import { CertificateAuthority } from "../../simulator/cloud/identity/certificate-authority.ts";
import { composeIot, everything } from "../../simulator/cloud/iot/iot-rig.ts";
import { CloudEvents } from "../../simulator/cloud/service.ts";

/**
 * One server for a round of the bench, in a process of its own: `node server.ts ours|bare FOLDER`. Says one JSON line
 * (port, root CA, a device's certificate), and answers each line on its input with its resident memory after a
 * collection, where it was started with --expose-gc.
 */
const [kind = "", folder = ""] = process.argv.slice(2);
const authority = await CertificateAuthority.open({
  random: new SeededRandom(kind),
  wallClock: systemClock,
});
const device = authority.keysAndCertificate();
const port = kind === "ours" ? await serveOurs() : await serveBare();
process.stdout.write(
  `${JSON.stringify({ port, ca: authority.certificatePem, cert: device.certificatePem, key: device.privateKeyPem })}\n`,
);
process.stdin.on("data", () => {
  Object(globalThis).gc?.();
  process.stdout.write(`${process.memoryUsage.rss()}\n`);
});
process.stdin.on("end", () => process.exit(0));

/** The cloud's broker behind its door: policies, sessions, a store on disk. */
async function serveOurs(): Promise<number> {
  const base = {
    place: { region: "us-east-1", accountId: "123456789012" },
    clock: systemClock,
    wallClock: systemClock,
    random: new SeededRandom("bench"),
    store: await openDiskStore({ folder, log: silentLog }),
    log: silentLog,
    events: new CloudEvents(),
    // AWS takes a hundred a second from one connection; what is measured is the broker's own speed.
    limits: { publishesPerSecondMax: Number.POSITIVE_INFINITY },
  };
  const endpoints = { data: () => "localhost", credentials: () => "localhost" };
  const parts = composeIot(base, { authority, endpoints });
  parts.iot.policies.create("all", JSON.stringify(everything));
  const { certificateId } = parts.iot.certificates.register(device.certificatePem, "ACTIVE");
  parts.iot.policies.attached.add("all", `cert/${certificateId}`);
  const nothing = () => ({ status: 404, headers: {}, body: "" });
  const door = await DeviceDoor.open({
    broker: parts.broker,
    iot: parts.iot,
    server: authority.serverCertificate(),
    wallClock: systemClock,
    log: silentLog,
    dataPlane: nothing,
    credentials: nothing,
  });
  return door.ports.mqtt;
}

/** The least that anybody can do with Node's TLS and mqtt-packet: no sessions, no policies, exact topics. */
function serveBare(): Promise<number> {
  const { certificatePem, privateKeyPem } = authority.serverCertificate();
  const subscribers = new Map<string, Set<(packet: Packet) => void>>();
  const tls = { cert: certificatePem, key: privateKeyPem, ca: authority.certificatePem, requestCert: true };
  const server = createServer({ ...tls, rejectUnauthorized: true }, (socket) => {
    socket.setNoDelay(true);
    let messageId = 0;
    const version = { protocolVersion: 5 };
    const send = (packet: Packet): void => void socket.write(generate(packet, version));
    const reader = parser({ protocolVersion: 5 });
    socket.on("data", (bytes: Buffer) => void reader.parse(bytes));
    socket.on("error", () => {});
    reader.on("packet", (packet) => {
      if (packet.cmd === "connect") send({ cmd: "connack", reasonCode: 0, sessionPresent: false });
      else if (packet.cmd === "subscribe") {
        for (const { topic } of packet.subscriptions) {
          const all = subscribers.get(topic) ?? new Set();
          subscribers.set(
            topic,
            all.add((message) => send({ ...message, messageId: (messageId++ % 65_535) + 1 })),
          );
        }
        send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(() => 1) });
      } else if (packet.cmd === "publish") {
        for (const deliver of subscribers.get(packet.topic) ?? []) deliver({ ...packet });
        send({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 });
      } else if (packet.cmd === "pingreq") send({ cmd: "pingresp" });
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
