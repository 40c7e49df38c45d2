import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { memoryOfTree } from "../../simulator/fleet/process/process-tree.ts";
import { cpuSeconds } from "../cpu.ts";
import { atLeast, atMost, type Bench, inTurn, median, ratio, ROUNDS } from "../measure.ts";
import { Answers, kindOf } from "./bare.ts";
import { type Api, clientsOf, mixed, prepare, touchAll } from "./calls.ts";
import { manyThings, recorded, replay } from "./wire.ts";

const CONNECTIONS = 16;
/** As many as a quiet machine serves in two seconds; fewer by COALMINE_REQUESTS where one is too busy. */
const REQUESTS_PER_ROUND = Number(process.env["COALMINE_REQUESTS"] ?? 6000);
/** Of what a restart reads; fewer by COALMINE_THINGS. */
const THINGS = Number(process.env["COALMINE_THINGS"] ?? 10_000);
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
 * durable before it is answered, over five services. What is sent are the bytes of the SDK's own clients, recorded
 * before each round and replayed over bare sockets, since the clients themselves cost more than the cloud: their share is
 * a figure too. The limit is a bare `node:http` server that gives the same answers and syncs as often, in the same rounds.
 */
export const bench: Bench = async (say) => {
  const folder = mkdtempSync(join(tmpdir(), "bench-api-"));
  const state = join(folder, "state");
  let cloud = await startCloud(state);
  let bare: Process | undefined;
  try {
    const { api } = cloud;
    await touchAll(api);
    await systemClock.sleep(SETTLE_MS);
    const idle = (await memoryOfTree(cloud.pid)).pssBytes;
    say(`idle with every service touched: ${(idle / MIB).toFixed(0)} MiB`);
    const clients = clientsOf(api, api.endpoint, CONNECTIONS);
    await prepare(clients);
    const sdk = await throughClients(cloud, clients);
    // This round warms up, and what it is answered is what the bare server answers.
    const calls = mixed(REQUESTS_PER_ROUND, 1);
    let requests = await recorded(api, calls);
    const { answers } = await replay(api.endpoint, requests, CONNECTIONS);
    const samples = requests.map((request, at) => {
      const [method = "", url = ""] = request.toString("latin1", 0, 300).split(" ");
      const target = /\r\nx-amz-target: (\S+)/i.exec(request.toString("latin1"))?.[1];
      const { status = 0, body = Buffer.alloc(0) } = answers[at] ?? {};
      const durable = calls[at]?.durable === true;
      return [kindOf(method, url, target), { status, body: body.toString("base64"), durable }] as const;
    });
    bare = await startBare(folder, Object.fromEntries(samples));
    const rounds = { cloud: measured(), bare: measured() };
    let round = 1;
    const rates = await inTurn({
      cloud: async () => {
        requests = await recorded(api, mixed(REQUESTS_PER_ROUND, ++round));
        return rounds.cloud.rate(cloud.pid, api.endpoint, requests);
      },
      bare: () => rounds.bare.rate(bare?.pid ?? 0, bare?.endpoint ?? "", requests),
    });
    say(`rounds: ${rates.cloud.map((rate) => rate.toFixed(0)).join(", ")} requests/s`);
    await replay(api.endpoint, manyThings(api, THINGS), CONNECTIONS);
    say(`${THINGS} things are there; now it restarts`);
    const restarts: number[] = [];
    const restartCpus: number[] = [];
    for (let restart = 0; restart < ROUNDS; restart++) {
      await stop(cloud.child, restart % 2 === 0 ? "SIGTERM" : "SIGKILL");
      const started = performance.now();
      cloud = await startCloud(state);
      restarts.push((performance.now() - started) / 1000);
      restartCpus.push(cpuSeconds(cloud.pid));
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
    await stop(cloud.child, "SIGKILL");
    if (bare !== undefined) await stop(bare.child, "SIGKILL");
    rmSync(folder, { recursive: true });
  }
};

interface Process {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly endpoint: string;
}

/** What rounds against one server have cost, by round: its CPU and ours for each request, and the slowest hundredth. */
function measured() {
  const [cpus, ownCpus, slow]: [number[], number[], number[]] = [[], [], []];
  const rate = async (pid: number, endpoint: string, requests: readonly Buffer[]): Promise<number> => {
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

/** The same mix by the SDK's clients themselves: what they cost, and the cloud beside them. */
async function throughClients(
  { pid }: Process,
  clients: ReturnType<typeof clientsOf>,
): Promise<{ ownCpu: number; cloudCpu: number }> {
  const calls = mixed(REQUESTS_PER_ROUND, 0);
  const waiting = calls.values();
  const work = async (): Promise<void> => {
    for (const call of waiting) await call.send(clients);
  };
  const [before, own] = [cpuSeconds(pid), process.cpuUsage()];
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  const { user, system } = process.cpuUsage(own);
  for (const client of Object.values(clients)) client.destroy();
  return {
    ownCpu: (user + system) / calls.length,
    cloudCpu: ((cpuSeconds(pid) - before) * 1e6) / calls.length,
  };
}

async function startCloud(state: string): Promise<Process & { readonly api: Api }> {
  const program = join(import.meta.dirname, "../../simulator/cloud/main.ts");
  const { child, line } = await started([program, "--state", state, "--json"]);
  const api = Where.parse(JSON.parse(line));
  return { child, pid: child.pid ?? 0, endpoint: api.endpoint, api };
}

async function startBare(folder: string, answers: z.infer<typeof Answers>): Promise<Process> {
  const words = [join(import.meta.dirname, "bare.ts"), folder, JSON.stringify(answers)];
  const { child, line } = await started(words);
  return { child, pid: child.pid ?? 0, endpoint: `http://127.0.0.1:${line}` };
}

/** The first line that the program says. */
async function started(words: readonly string[]): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) return { child, line };
  throw new Error(`${words[0] ?? ""} did not start`);
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}
