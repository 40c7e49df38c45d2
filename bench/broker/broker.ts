import { connect as connectTls, type TLSSocket } from "node:tls";
import mqtt from "mqtt";
import { generate, parser } from "mqtt-packet";
import { Broker } from "../../simulator/cloud/broker/broker.ts";
import { BareClient } from "../../simulator/cloud/broker/client.ts";
import { linkPair } from "../../simulator/cloud/broker/link-pair.ts";
import { CloudEvents } from "../../simulator/cloud/service.ts";
import { memoryStore } from "../../simulator/cloud/store/memory-store.ts";
import { systemClock } from "@coalmine/runtime/system-clock";
import { atLeast, atMost, type Bench, inTurn, median, type Metrics, ratio } from "../measure.ts";
import { cpuSeconds } from "../cpu.ts";
import { type Server, startMosquitto, startServer } from "./servers.ts";

const MESSAGES = 4000;
const PAYLOAD = Buffer.alloc(1024, "x");
const IN_FLIGHT = 50;
/** As many as the demand says; fewer by COALMINE_IDLE where a machine is too small or too busy. */
const IDLE = Number(process.env["COALMINE_IDLE"] ?? 5000);
const CONNECTING_AT_ONCE = 50;
const IN_PROCESS = 5000;

/**
 * Mutual TLS, QoS 1 both ways, 1 KiB, one publisher to one subscriber: the cloud's broker against mosquitto where it is
 * installed, and against the least that Node's TLS and mqtt-packet can do. Publisher and subscriber share the machine.
 */
export const bench: Bench = async (say) => {
  const ours = await startServer("ours");
  const bare = await startServer("bare");
  const mosquitto = await startMosquitto();
  say(
    mosquitto === undefined
      ? "mosquitto is not installed: the ratio to it is not measured"
      : "mosquitto is here",
  );
  const cpus: Record<"ours" | "bare" | "mosquitto", number[]> = { ours: [], bare: [], mosquitto: [] };
  const rates = await inTurn({
    ours: () => round(ours, cpus.ours),
    bare: () => round(bare, cpus.bare),
    mosquitto: () => (mosquitto === undefined ? Number.NaN : round(mosquitto, cpus.mosquitto)),
  }).finally(() => Promise.all([ours.stop(), bare.stop(), mosquitto?.stop()]));
  say(`now ${IDLE} idle connections to each`);
  const [oursIdle, bareIdle] = [await bytesPerIdle("ours"), await bytesPerIdle("bare")];
  const inProcess = await inTurn({ connects: connectsInProcess });
  const metrics: Metrics = {
    messages: { value: median(rates.ours), unit: "msg/s" },
    cpuPerMessage: { value: median(cpus.ours), unit: "µs" },
    bareCpuPerMessage: { value: median(cpus.bare), unit: "µs" },
    bareRelay: { value: median(rates.bare), unit: "msg/s" },
    toBareRelay: { value: ratio(rates.ours, rates.bare), unit: "×" },
    idleConnections: { value: IDLE, unit: "connections" },
    idleMemory: { value: oursIdle / 1024, unit: "KiB/connection" },
    bareIdleMemory: { value: bareIdle / 1024, unit: "KiB/connection" },
    idleToBare: atMost(oursIdle / bareIdle, "×", 1.25),
    inProcessConnects: atLeast(median(inProcess.connects), "connects/s", 2000),
  };
  if (mosquitto === undefined) return metrics;
  return {
    ...metrics,
    mosquitto: { value: median(rates.mosquitto), unit: "msg/s" },
    mosquittoCpuPerMessage: { value: median(cpus.mosquitto), unit: "µs" },
    toMosquitto: atLeast(ratio(rates.ours, rates.mosquitto), "×", 1),
  };
};

/** A round: messages a second, and the server's own processor time for each. */
async function round({ pid, port, tls }: Server, cpus: number[]): Promise<number> {
  const before = cpuSeconds(pid);
  const rate = await messagesPerSecond(port, tls);
  cpus.push(((cpuSeconds(pid) - before) * 1e6) / MESSAGES);
  return rate;
}

async function messagesPerSecond(port: number, tls: Server["tls"]): Promise<number> {
  const connect = (clientId: string) =>
    mqtt.connectAsync(`mqtts://localhost:${port}`, { ...tls, clientId, protocolVersion: 5, clean: true });
  const [publisher, subscriber] = [await connect("publisher"), await connect("subscriber")];
  await subscriber.subscribeAsync("bench/topic", { qos: 1 });
  let received = 0;
  let sent = 0;
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    subscriber.on("message", () => {
      if (++received === MESSAGES) resolve();
    });
    const next = (): void => {
      if (sent++ < MESSAGES) publisher.publishAsync("bench/topic", PAYLOAD, { qos: 1 }).then(next, reject);
    };
    for (let each = 0; each < IN_FLIGHT; each++) next();
  });
  const seconds = (performance.now() - started) / 1000;
  await Promise.all([publisher.endAsync(), subscriber.endAsync()]);
  return MESSAGES / seconds;
}

/** In a fresh process, so that neither finds memory that the other one's messages have left. */
async function bytesPerIdle(kind: "ours" | "bare"): Promise<number> {
  const server = await startServer(kind);
  const sockets: TLSSocket[] = [];
  try {
    // The first few load what all share.
    for (let each = 0; each < CONNECTING_AT_ONCE; each++) sockets.push(await idle(server, `first-${each}`));
    const before = await server.memory();
    let next = CONNECTING_AT_ONCE;
    const connectSome = async (): Promise<void> => {
      while (next < IDLE) sockets.push(await idle(server, `idle-${next++}`));
    };
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));
    await systemClock.sleep(2000);
    return ((await server.memory()) - before) / (IDLE - CONNECTING_AT_ONCE);
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

/** Connected, and subscribed to three filters, as a core device is. */
function idle({ port, tls }: Server, clientId: string): Promise<TLSSocket> {
  const version = { protocolVersion: 5 } as const;
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...tls, port, host: "127.0.0.1", servername: "localhost" });
    socket.once("error", reject);
    const reader = parser(version);
    socket.on("data", (bytes: Buffer) => void reader.parse(bytes));
    reader.on("packet", ({ cmd }) => {
      if (cmd === "suback") resolve(socket);
    });
    socket.write(
      Buffer.concat([
        generate({
          cmd: "connect",
          clientId,
          protocolId: "MQTT",
          protocolVersion: 5,
          clean: true,
          keepalive: 1200,
        }),
        generate(
          {
            cmd: "subscribe",
            messageId: 1,
            subscriptions: ["a", "b", "c"].map((end) => ({
              topic: `to/${clientId}/${end}`,
              qos: 1 as const,
            })),
          },
          version,
        ),
      ]),
    );
  });
}

/** Hosted devices come this way: no sockets, no TLS, the same broker. */
async function connectsInProcess(): Promise<number> {
  const events = new CloudEvents();
  const broker = new Broker({ clock: systemClock, store: memoryStore(), events, authorize: () => true });
  const clients: BareClient[] = [];
  const started = performance.now();
  for (let each = 0; each < IN_PROCESS; each++) {
    const [here, there] = linkPair();
    broker.accept(there, { certificateId: "c", kind: "in-process" });
    const client = new BareClient(here);
    client.connect(`device-${each}`);
    client.subscribe(`to/${each}/a`, `to/${each}/b`, `to/${each}/c`);
    clients.push(client);
    if (each % 100 === 99) await new Promise(setImmediate);
  }
  while (!clients.every((client) => client.received.some(({ cmd }) => cmd === "suback")))
    await new Promise(setImmediate);
  const seconds = (performance.now() - started) / 1000;
  broker.close();
  return IN_PROCESS / seconds;
}
