import { isMainThread } from "node:worker_threads";
import { type ComponentModule, type Ports, PORTS_VERSION, type Running } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { componentProcess } from "./component-process.ts";
import { nodeCrypto } from "./crypto.ts";
import { collectWhenIdle } from "./idle-memory.ts";
import { stdoutLog } from "./log.ts";
import { isModelTrial } from "./model-trial.ts";

/** The ports that every component gets; none of them needs a native module. */
export type BasePorts = Pick<Ports, "clock" | "random" | "crypto" | "log" | "process">;

/** How long `stop` may take, and how long the process then waits for it to notice. */
const STOP_MS_MAX = 10_000;
const GRACE_MS = 1000;

/**
 * Runs a component for the life of this process: exits 1 with a sentence in its log where it cannot start, or where
 * anything is thrown that nobody caught; stops it on SIGTERM and SIGINT and exits 0. Ports are made by a function,
 * because a model's worker thread and its trial begin in the same file, and have no use for them.
 */
export async function runComponent<Used extends keyof Ports>(
  component: ComponentModule<Used>,
  makePorts: (base: BasePorts) => Pick<Ports, Used> | Promise<Pick<Ports, Used>>,
): Promise<void> {
  if (!isMainThread || isModelTrial()) return;
  const base = basePorts();
  const { log, process: own } = base;
  const told = { component: own.componentName, version: own.componentVersion };
  process.on("uncaughtException", (thrown) => {
    log.error("the component fails: nobody caught an error", { ...told, ...described(thrown) });
    process.exit(1);
  });
  const asked = stopAsked();
  let running: Running;
  try {
    if (component.portsVersion !== PORTS_VERSION)
      throw new Error(
        `component.mjs was built for ports version ${component.portsVersion}, main.mjs has ${PORTS_VERSION}; build both together`,
      );
    running = await component.start(await makePorts(base));
  } catch (thrown) {
    log.error("the component cannot start", { ...told, ...described(thrown) });
    process.exit(1);
  }
  log.info("the component is running", told);
  collectWhenIdle(base.clock);
  const signal = await asked;
  log.info("the component stops", { ...told, signal });
  const patience = new AbortController();
  base.clock.timer(STOP_MS_MAX, () => patience.abort(new Error(`${STOP_MS_MAX} ms to stop are over`)));
  base.clock.timer(STOP_MS_MAX + GRACE_MS, () => {
    log.error("the component did not stop in time", told);
    process.exit(1);
  });
  try {
    await running.stop(patience.signal);
  } catch (thrown) {
    log.error("the component did not stop cleanly", { ...told, ...described(thrown) });
    process.exit(1);
  }
  process.exit(0);
}

function basePorts(): BasePorts {
  let own: ReturnType<typeof componentProcess>;
  try {
    own = componentProcess();
  } catch (thrown) {
    process.stderr.write(`${messageOf(thrown)}\n`);
    process.exit(1);
  }
  return {
    clock: systemClock,
    random: systemRandom,
    crypto: nodeCrypto,
    log: stdoutLog(own.componentName, systemClock),
    process: own,
  };
}

/** The first signal to stop; further ones change nothing, and a component with nothing open stays until then. */
function stopAsked(): Promise<NodeJS.Signals> {
  const stay = setInterval(() => {}, 0x7fff_ffff);
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => {
        clearInterval(stay);
        resolve(signal);
      });
  });
}

function described(thrown: unknown): { reason: string; stack?: string } {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return { reason: messageOf(thrown), ...(stack === undefined ? {} : { stack }) };
}
