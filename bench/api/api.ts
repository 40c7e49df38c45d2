import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "@coalmine/runtime/system-clock";
import { cpuSeconds } from "../cpu.ts";
import { memoryOfTree } from "../../simulator/fleet/process/process-tree.ts";
import { atLeast, atMost, type Bench, median, ROUNDS } from "../measure.ts";
import { Where, type Api, send, sendAll } from "./requests.ts";
import { mixed, preparations, thingNamed, touches } from "./mix.ts";

const CONNECTIONS = 16;
const REQUESTS_PER_ROUND = 6000;
const THINGS = 10_000;
const SETTLE_MS = 5000;
const MIB = 1024 ** 2;

/**
 * A cloud as a process with its state on disk, asked over 16 kept-alive connections: 60 % reads and 40 % writes, each
 * durable before it is answered, over five services. Requests are signed beforehand, so that the client's own work is
 * little; it still shares the machine.
 */
export const bench: Bench = async (say) => {
  const folder = mkdtempSync(join(tmpdir(), "bench-api-"));
  let cloud = await start(folder);
  try {
    for (const request of touches(cloud.api)) await send(cloud.api, request, true);
    await systemClock.sleep(SETTLE_MS);
    const idle = (await memoryOfTree(cloud.child.pid ?? 0)).pssBytes;
    say(`idle with every service touched: ${(idle / MIB).toFixed(0)} MiB`);
    for (const request of preparations(cloud.api)) await send(cloud.api, request);
    const rates: number[] = [];
    const slow: number[] = [];
    const cpus: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const requests = mixed(cloud.api, REQUESTS_PER_ROUND, round);
      const before = cpuSeconds(cloud.child.pid ?? 0);
      const { seconds, latenciesMs } = await sendAll(cloud.api, requests, CONNECTIONS);
      // The first round only warms up.
      if (round === 0) continue;
      rates.push(requests.length / seconds);
      cpus.push(((cpuSeconds(cloud.child.pid ?? 0) - before) * 1e6) / requests.length);
      slow.push(latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0);
      say(`round ${round}: ${rates.at(-1)?.toFixed(0)} requests/s`);
    }
    const things = Array.from({ length: THINGS }, (_, n) => thingNamed(cloud.api, `many-${n}`));
    await sendAll(cloud.api, things, CONNECTIONS);
    say(`${THINGS} things are there; now it restarts`);
    const restarts: number[] = [];
    const restartCpus: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await stop(cloud.child, round % 2 === 0 ? "SIGTERM" : "SIGKILL");
      const started = performance.now();
      cloud = await start(folder);
      restarts.push((performance.now() - started) / 1000);
      restartCpus.push(cpuSeconds(cloud.child.pid ?? 0));
    }
    return {
      requests: atLeast(median(rates), "requests/s", 3000),
      latencyP99: { value: median(slow), unit: "ms" },
      cpuPerRequest: { value: median(cpus), unit: "µs" },
      restartCpu: { value: median(restartCpus), unit: "s" },
      restartWithThings: atMost(median(restarts), "s", 3),
      idleMemory: atMost(idle / MIB, "MiB", 300),
    };
  } finally {
    await stop(cloud.child, "SIGKILL");
    rmSync(folder, { recursive: true });
  }
};

async function start(folder: string): Promise<{ child: ChildProcess; api: Api }> {
  const program = join(import.meta.dirname, "../../simulator/cloud/main.ts");
  const child = spawn(process.execPath, [program, "--state", folder, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout }))
    return { child, api: Where.parse(JSON.parse(line)) };
  throw new Error("the cloud did not start");
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}
