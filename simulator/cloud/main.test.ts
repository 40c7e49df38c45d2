import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  CreateThingCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
  IoTClient,
} from "@aws-sdk/client-iot";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";

const Line = z.object({
  endpoint: z.string(),
  region: z.string(),
  ports: z.record(z.string(), z.number()),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  controlToken: z.string(),
});
const state = await mkdtemp(join(tmpdir(), "coalmine-cloud-"));
const running: ChildProcess[] = [];
afterAll(async () => {
  for (const child of running) if (child.exitCode === null) child.kill("SIGKILL");
  await rm(state, { recursive: true });
});

function run(...more: string[]): { child: ChildProcess; errors: () => string } {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...more], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, errors: () => text };
}
async function start(...more: string[]) {
  const { child } = run("--state", state, "--region", "us-east-1", "--json", ...more);
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface({ input: child.stdout }))
    return { child, ...Line.parse(JSON.parse(line)) };
  throw new Error("the cloud said nothing");
}
function clients({ endpoint, region, accessKeyId, secretAccessKey }: z.infer<typeof Line>) {
  const options = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  return { s3: new S3Client(options), iot: new IoTClient(options) };
}
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
  return child.exitCode;
}

test("stopping and killing lose nothing that was answered, and the doors are where the line says", async () => {
  const first = await start();
  const { s3, iot } = clients(first);
  await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
  await s3.send(new PutObjectCommand({ Bucket: "kept", Key: "k", Body: "before SIGTERM" }));
  await iot.send(new CreateThingCommand({ thingName: "core-1" }));
  const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
  expect(endpointAddress).toBe(`localhost:${first.ports["mqtt"]}`);
  for (const door of ["mqtt", "dataPlane", "credentials", "http"]) {
    const socket = connect({ port: first.ports[door] ?? 0, host: "127.0.0.1" });
    await once(socket, "connect");
    socket.destroy();
  }
  expect(await end(first.child, "SIGTERM")).toBe(0);

  const second = await start();
  expect(second.accessKeyId).toBe(first.accessKeyId);
  const again = clients(second);
  await again.s3.send(new PutObjectCommand({ Bucket: "kept", Key: "later", Body: "before SIGKILL" }));
  await end(second.child, "SIGKILL");

  const third = await start();
  const last = clients(third);
  const read = async (Key: string) =>
    await (await last.s3.send(new GetObjectCommand({ Bucket: "kept", Key }))).Body?.transformToString();
  expect(await read("k")).toBe("before SIGTERM");
  expect(await read("later")).toBe("before SIGKILL");
  expect((await last.iot.send(new DescribeThingCommand({ thingName: "core-1" }))).thingName).toBe("core-1");

  const control = (token: string) =>
    fetch(`${third.endpoint}/control/list`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: "{}",
    });
  expect((await control("wrong")).status).toBe(401);
  expect(await (await control(third.controlToken)).json()).toEqual({
    commands: ["clear-faults", "inject-fault", "jump-clock", "list", "list-faults"],
  });

  // The port is taken and the folder in use: both are said in a sentence, not with a stack.
  const taken = run("--state", `${state}/other`, "--port", String(third.ports["http"]));
  await once(taken.child, "exit");
  expect(taken.errors()).toContain("is in use: stop what listens there");
  const second2 = run("--state", state);
  await once(second2.child, "exit");
  expect([second2.child.exitCode, second2.errors()]).toEqual([
    1,
    expect.stringContaining("keeps its cloud there"),
  ]);
  expect(await end(third.child, "SIGTERM")).toBe(0);
}, 60_000);

test("wrong arguments show how it is used", async () => {
  const { child, errors } = run("--region", "nowhere");
  await once(child, "exit");
  expect([child.exitCode, errors()]).toEqual([2, expect.stringContaining("usage:")]);
}, 30_000);
