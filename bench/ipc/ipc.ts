import { loadavg } from "node:os";
import { join } from "node:path";
import { greengrasscoreipc } from "aws-iot-device-sdk-v2";
import * as z from "zod";
import { type BoundChild, startBound } from "../bound-child.ts";
import { cpuSeconds } from "../cpu.ts";
import { atLeast, atMost, inTurn, median, type Metrics, ratio } from "../measure.ts";
import { frameRate } from "./raw-client.ts";

const MESSAGES = 30_000;
const ROUND_TRIPS = 2000;
const WARM_UP = 200;
const Started = z.object({ path: z.string(), token: z.string() });

/** Greengrass IPC of a core device: messages by frames, and a round trip by the official client. */
export async function bench(say: (sentence: string) => void): Promise<Metrics> {
  const servers = await Promise.all(["device", "echo", "relay", "canned"].map(start));
  const [device, echo, relay, canned] = servers;
  if (device === undefined || echo === undefined || relay === undefined || canned === undefined)
    throw new Error("four were started");
  try {
    const delivered = () => frameRate(device.path, device.token, MESSAGES);
    const echoed = () => frameRate(echo.path, undefined, MESSAGES);
    say("all that the servers do, until it is compiled");
    await inTurn({ delivered, echoed });
    say(`${MESSAGES} messages of 1 KiB, 64 in flight, against an echo of the same frames and a bare relay`);
    const micros: Record<"device" | "echo", number[]> = { device: [], echo: [] };
    const rates = await inTurn({
      delivered: () => measured(micros.device, device, delivered),
      echoed: () => measured(micros.echo, echo, echoed),
      relayed: () => frameRate(relay.path, undefined, MESSAGES),
    });
    say(`${ROUND_TRIPS} round trips of the official client, against canned answers`);
    const trips = await inTurn({
      device: () => roundTripMs(device),
      canned: () => roundTripMs(canned),
    });
    return {
      "messages delivered": atLeast(median(rates.delivered), "/s", 40_000),
      "frames echoed": { value: median(rates.echoed), unit: "/s" },
      "of an echo of the same frames": atLeast(ratio(rates.delivered, rates.echoed), "", 0.5),
      // What sockets and the client give here at most: nobody looks at these frames.
      "frames relayed unread": { value: median(rates.relayed), unit: "/s" },
      "processor time of the device a message": { value: median(micros.device), unit: "µs" },
      "of the echo's": { value: ratio(micros.device, micros.echo), unit: "" },
      "official client, round trip p50": { value: median(trips.device), unit: "ms" },
      "against canned answers": { value: median(trips.canned), unit: "ms" },
      "of the same against canned answers": atMost(ratio(trips.device, trips.canned), "", 1.25),
      "load average": { value: loadavg()[0] ?? Number.NaN, unit: "" },
    };
  } finally {
    for (const { child } of servers) child.kill();
  }
}

type Server = z.infer<typeof Started> & Pick<BoundChild, "child" | "pid">;

async function start(kind: string): Promise<Server> {
  const { child, pid, line } = await startBound([join(import.meta.dirname, "server.ts"), kind]);
  return { ...Started.parse(JSON.parse(line)), child, pid };
}

/** What a run takes of the server's processor time a message, in microseconds: it says more than the rate where others run. */
async function measured(micros: number[], server: Server, run: () => Promise<number>): Promise<number> {
  const before = cpuSeconds(server.pid);
  const rate = await run();
  micros.push(((cpuSeconds(server.pid) - before) / MESSAGES) * 1e6);
  return rate;
}

/** The median of round trips one after the other. */
async function roundTripMs({ path, token }: { path: string; token: string }): Promise<number> {
  process.env["AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"] = path;
  process.env["SVCUID"] = token;
  const client = greengrasscoreipc.createClient();
  await client.connect();
  const publishMessage = { jsonMessage: { message: { v: "x".repeat(1000) } } };
  const times: number[] = [];
  for (let trip = 0; trip < WARM_UP + ROUND_TRIPS; trip++) {
    const begun = performance.now();
    await client.publishToTopic({ topic: "bench/other", publishMessage });
    if (trip >= WARM_UP) times.push(performance.now() - begun);
  }
  await client.close();
  return median(times);
}
