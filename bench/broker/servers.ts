import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { bound } from "../bound-child.ts";
import { CertificateAuthority } from "../../simulator/cloud/identity/certificate-authority.ts";

export interface Server {
  readonly pid: number;
  readonly port: number;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Bytes, after a collection. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

const Where = z.object({ port: z.int(), ca: z.string(), cert: z.string(), key: z.string() });
const LISTEN_MS_MAX = 10_000;

/** The cloud's broker, or a bare TLS server with mqtt-packet, in a process of its own. */
export async function startServer(kind: "ours" | "bare"): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "bench-broker-"));
  const words = ["--expose-gc", join(import.meta.dirname, "server.ts"), kind, folder];
  const child = spawn(...bound(process.execPath, words), { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true || value === undefined) throw new Error(`the server ${kind} ended`);
    return value;
  };
  const { port, ...tls } = Where.parse(JSON.parse(await nextLine()));
  return {
    pid: child.pid ?? 0,
    port,
    tls,
    memory: async () => {
      child.stdin.write("\n");
      return Number(await nextLine());
    },
    stop: async () => {
      await ended(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/** mosquitto where it is on the path (`COALMINE_MOSQUITTO` names another); undefined where there is none. */
export async function startMosquitto(): Promise<Server | undefined> {
  const program = process.env["COALMINE_MOSQUITTO"] ?? "mosquitto";
  const folder = mkdtempSync(join(tmpdir(), "bench-mosquitto-"));
  const authority = await CertificateAuthority.open({
    random: new SeededRandom("mosquitto"),
    wallClock: systemClock,
  });
  const server = authority.serverCertificate();
  const device = authority.keysAndCertificate();
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o644 });
    return path;
  };
  const port = await freePort();
  const settings = [
    `listener ${port} 127.0.0.1`,
    `cafile ${file("ca.pem", authority.certificatePem)}`,
    `certfile ${file("server.pem", server.certificatePem)}`,
    `keyfile ${file("server.key", server.privateKeyPem)}`,
    "require_certificate true",
    "allow_anonymous true",
    "user root",
    "max_inflight_messages 100",
    "log_type error",
  ];
  const child = spawn(...bound(program, ["-c", file("mosquitto.conf", `${settings.join("\n")}\n`)]), {
    stdio: "ignore",
  });
  const failed = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(true));
    child.once("exit", () => resolve(true));
  });
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true });
  };
  if (await Promise.race([failed, listens(port).then(() => false)])) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const tls = { ca: authority.certificatePem, cert: device.certificatePem, key: device.privateKeyPem };
  const pid = child.pid ?? 0;
  return { pid, port, tls, memory: () => Promise.reject(new Error("not asked of mosquitto")), stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exited;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function listens(port: number): Promise<void> {
  const deadline = performance.now() + LISTEN_MS_MAX;
  while (performance.now() < deadline) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connectTcp(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return;
    await systemClock.sleep(50);
  }
  throw new Error(`nothing listens on ${port} after ${LISTEN_MS_MAX} ms`);
}
