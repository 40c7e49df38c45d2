import { spawn, type ChildProcess } from "node:child_process";
import { readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { startCloud } from "../../cloud/start-cloud.ts";
import { deviceCommand } from "../process/device-command.ts";
import { operatorOf, type Registered } from "./fleet-cloud.ts";

const UNTIL_TRIES = 300;
const UNTIL_MS = 100;

interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly program?: string;
}

/**
 * Core devices as processes of their own, from their bundle, over TLS, against a cloud that they reach only by its network
 * doors.
 */
export async function processRig(coreDevice: string) {
  const folder = await mkdtemp(join(tmpdir(), "coalmine-device-"));
  const children: ChildProcess[] = [];
  const cloud = await startCloud({
    folder: join(folder, "cloud"),
    region: "us-east-1",
    accountId: "123456789012",
    host: "127.0.0.1",
    port: 0,
    allowRemote: false,
    devicePorts: { mqtt: 0, alpn: 0, dataPlane: 0, credentials: 0 },
    credentials: { accessKeyId: "AKIACOALMINELOCAL000", secretAccessKey: "local-secret" },
    controlToken: "control",
    clock: systemClock,
    wallClock: systemClock,
    random: new SeededRandom("cloud"),
    log: silentLog,
  });
  const operator = operatorOf(cloud.cloud);
  await operator.setUp();

  /** What commissioning leaves on a device. */
  async function rootOf(identity: Registered): Promise<string> {
    const root = join(folder, identity.thingName);
    await mkdir(join(root, "config"), { recursive: true });
    const path = (name: string): string => join(root, "config", name);
    await writeFile(path("device.pem"), identity.certificatePem);
    await writeFile(path("device.key"), identity.privateKey);
    const system = {
      thingName: identity.thingName,
      certificateFilePath: path("device.pem"),
      privateKeyPath: path("device.key"),
      rootCaPath: join(folder, "cloud/authority/ca.pem"),
    };
    const configuration = {
      awsRegion: "us-east-1",
      iotRoleAlias: "Alias",
      iotDataEndpoint: "localhost",
      mqtt: { port: cloud.ports.mqtt },
      iotCredEndpoint: `localhost:${cloud.ports.credentials}`,
      greengrassDataPlaneEndpoint: "localhost",
      greengrassDataPlanePort: cloud.ports.dataPlane,
      deploymentPollingFrequencySeconds: 1,
    };
    const services = { "aws.greengrass.Nucleus": { configuration } };
    await writeFile(path("config.yaml"), JSON.stringify({ system, services }));
    return root;
  }

  /** Resolves when the device says that it is up; so may another program that is started as a device is. */
  async function start(
    root: string,
    { environment = {}, node = process.execPath, program = coreDevice }: StartOptions = {},
  ): Promise<ChildProcess> {
    const own = deviceCommand(node, program, root);
    const [executable, ...words] = own.command;
    const child = spawn(executable, words, {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        AWS_ENDPOINT_URL: cloud.endpoint,
        ...own.environment,
        ...environment,
      },
    });
    children.push(child);
    if (child.stdout === null) throw new Error("no output");
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes("is up")) throw new Error(`the device said ${line}`);
      return child;
    }
    throw new Error("the device said nothing");
  }

  return {
    folder,
    cloud,
    operator,
    /** In order of starting. */
    children,
    rootOf,
    start,
    logOf: (root: string, name: string): Promise<string> =>
      readFile(join(root, "logs", `${name}.log`), "utf8").catch(() => ""),
    async close(): Promise<void> {
      for (const child of children)
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await cloud.close();
      await rm(folder, { recursive: true });
    },
  };
}

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < UNTIL_TRIES; tries++) {
    if (await holds()) return;
    await systemClock.sleep(UNTIL_MS);
  }
  throw new Error(`never: ${what}`);
}

/** Processes that stand in a work folder of the device: its components and what they started. */
export async function processesIn(root: string): Promise<number[]> {
  return (await readdir("/proc"))
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${root}/work/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
