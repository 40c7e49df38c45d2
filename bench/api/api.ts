import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { memoryOfTree } from "../../simulator/fleet/process/process-tree.ts";
import { type BoundChild, startBound, stop } from "../bound-child.ts";
import { cpuSeconds } from "../cpu.ts";
import { atLeast, atMost, type Bench, inTurn, median, ratio, ROUNDS } from "../measure.ts";
import { type Answers, kindOf } from "./bare.ts";
import { type Api, type Clients, clientsOf, prepare, touchAll } from "./calls.ts";
import { type MixedRequest, mixedRequests, names, sendMixed } from "./mix.ts";
import { manyThings, replay } from "./wire.ts";

const CONNECTIONS = 16;
const WARM_UP_REQUESTS = 2000;
/** A round is as many requests as the cloud answers in so long, so that a busy machine does not make the bench endless. */
const ROUND_SECONDS = 2.5;
const SDK_SECONDS = 4;
/** Of what a restart reads; fewer by COALMINE_THINGS. */
const THINGS = Number(process.env["COALMINE_THINGS"] ?? 10_000);
const THINGS_AT_ONCE = 64;
const SETTLE_MS = 5000;
const MIB = 1024 ** 2;

const Where = z.object({
  endpoint: z.url(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

/**
 * A cloud as a process with its state on disk, asked over 16 kept-alive connections: 60 % reads and 40 % writes, each
 * durable before it is answered, over five services. What is sent are the bytes of the SDK's own clients with other names
 * and values, made before a round and replayed over bare sockets, since the clients themselves cost more than the cloud:
 * their share is a figure too. The limit is a bare `node:http` server that gives the same answers and syncs as often, in
 * the same rounds.
 */
export const bench: Bench = async (say) => {
  const folder = mkdtempSync(join(tmpdir(), "bench-api-"));
  const state = join(folder, "state");
  const children: BoundChild[] = [];
  const cloudAnew = async (): Promise<Api & { readonly pid: number }> => {
    const program = join(import.meta.dirname, "../../simulator/cloud/main.ts");
    const started = await startBound([program, "--state", state, "--json"]);
    children.push(started);
    return { ...Where.parse(JSON.parse(started.line)), pid: started.pid };
  };
  try {
    const cloud = await cloudAnew();
    await touchAll(cloud);
    await systemClock.sleep(SETTLE_MS);
    const idle = (await memoryOfTree(cloud.pid)).pssBytes;
    say(`idle with every service touched: ${(idle / MIB).toFixed(0)} MiB`);
    const clients = clientsOf(cloud, cloud.endpoint, CONNECTIONS);
    await prepare(clients, names);
    const sdk = await throughClients(cloud.pid, clients);
    say(`through the SDK's clients: ${(sdk.calls / SDK_SECONDS).toFixed(0)} requests/s`);
    const request = await mixedRequests(cloud);
    let serial = sdk.calls;
    const some = (count: number): MixedRequest[] => Array.from({ length: count }, () => request(serial++));
    // This round warms up, and what it is answered is what the bare server answers.
    const first = some(WARM_UP_REQUESTS);
    const { answers, seconds } = await replay(cloud.endpoint, first, CONNECTIONS);
    const canned: Answers = Object.fromEntries(
      first.map(({ bytes, durable }, at) => {
        const { status = 0, body = Buffer.alloc(0) } = answers[at] ?? {};
        return [kindOf(bytes), { status, body: body.toString("base64"), durable }];
      }),
    );
    const bare = await startBound([join(import.meta.dirname, "bare.ts"), folder, JSON.stringify(canned)]);
    children.push(bare);
    const perRound = Math.ceil((WARM_UP_REQUESTS / seconds) * ROUND_SECONDS);
    let requests: readonly MixedRequest[] = [];
    const rounds = { cloud: measured(), bare: measured() };
    const rates = await inTurn({
      cloud: () => rounds.cloud.rate(cloud.pid, cloud.endpoint, (requests = some(perRound))),
      bare: () => rounds.bare.rate(bare.pid, `http://127.0.0.1:${bare.line}`, requests),
    });
    say(`rounds of ${perRound}: ${rates.cloud.map((rate) => rate.toFixed(0)).join(", ")} requests/s`);
    await replay(cloud.endpoint, manyThings(cloud, THINGS), THINGS_AT_ONCE);
    say(`${THINGS} things are there; now it restarts`);
    const restarts: number[] = [];
    const restartCpus: number[] = [];
    for (let restart = 0; restart < ROUNDS; restart++) {
      for (const { child } of children) await stop(child, restart % 2 === 0 ? "SIGTERM" : "SIGKILL");
      const started = performance.now();
      const { pid } = await cloudAnew();
      restarts.push((performance.now() - started) / 1000);
      restartCpus.push(cpuSeconds(pid));
    }
    return {
      requests: atLeast(median(rates.cloud), "requests/s", 3000),
      latencyP99: { value: median(rounds.cloud.slow), unit: "ms" },
      cpuPerRequest: { value: median(rounds.cloud.cpus), unit: "µs" },
      bareRequests: { value: median(rates.bare), unit: "requests/s" },
      bareCpuPerRequest: { value: median(rounds.bare.cpus), unit: "µs" },
      toBare: { value: ratio(rates.cloud, rates.bare), unit: "×" },
      cpuToBare: { value: ratio(rounds.cloud.cpus, rounds.bare.cpus), unit: "×" },
      loadCpuPerRequest: { value: median(rounds.cloud.ownCpus), unit: "µs" },
      sdkClientCpuPerRequest: { value: sdk.ownCpu, unit: "µs" },
      sdkClientShare: { value: sdk.ownCpu / (sdk.ownCpu + sdk.cloudCpu), unit: "of both ends' CPU" },
      restartCpu: { value: median(restartCpus), unit: "s" },
      restartWithThings: atMost(median(restarts), "s", 3),
      idleMemory: atMost(idle / MIB, "MiB", 300),
    };
  } finally {
    for (const { child } of children) await stop(child, "SIGKILL");
    rmSync(folder, { recursive: true });
  }
};

/** What rounds against one server have cost, by round: its CPU and ours for each request, and the slowest hundredth. */
function measured() {
  const [cpus, ownCpus, slow]: [number[], number[], number[]] = [[], [], []];
  const rate = async (pid: number, endpoint: string, requests: readonly MixedRequest[]): Promise<number> => {
    const [before, own] = [cpuSeconds(pid), process.cpuUsage()];
    const { seconds, latenciesMs } = await replay(endpoint, requests, CONNECTIONS);
    const { user, system } = process.cpuUsage(own);
    cpus.push(((cpuSeconds(pid) - before) * 1e6) / requests.length);
    ownCpus.push((user + system) / requests.length);
    slow.push(latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0);
    return requests.length / seconds;
  };
  return { cpus, ownCpus, slow, rate };
}

/** The same mix by the SDK's clients themselves, for a while: what they cost for each, and the cloud beside them. */
async function throughClients(
  pid: number,
  clients: Clients,
): Promise<{ calls: number; ownCpu: number; cloudCpu: number }> {
  let calls = 0;
  const [before, own, started] = [cpuSeconds(pid), process.cpuUsage(), performance.now()];
  const work = async (): Promise<void> => {
    while (performance.now() - started < SDK_SECONDS * 1000) await sendMixed(clients, calls++);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  const { user, system } = process.cpuUsage(own);
  for (const client of Object.values(clients)) client.destroy();
  return { calls, ownCpu: (user + system) / calls, cloudCpu: ((cpuSeconds(pid) - before) * 1e6) / calls };
}
