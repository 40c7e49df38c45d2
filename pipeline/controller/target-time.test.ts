import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, expect, test } from "vitest";
import type { Target } from "../target.ts";
import { targetTime } from "./target-time.ts";

let refusals = 0;
let asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  if (refusals-- > 0) request.socket.destroy();
  else response.end(JSON.stringify({ now: 5000 }));
});
const time = targetTime({
  clock: { ...systemClock, sleep: async () => undefined },
  controlTokens: { driven: "secret" },
  tickMs: 1000,
});

async function targetAt(): Promise<Target> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server on a port has one
  const { port } = server.address() as AddressInfo;
  return {
    name: "driven",
    region: "eu-central-1",
    artifactBucket: "artifacts",
    lakeBucket: "lake",
    canaryGroup: "canary",
    mainGroup: "main",
    controlUrl: `http://127.0.0.1:${port}/control`,
  };
}

afterEach(async () => {
  asked = [];
  await new Promise((resolve) => server.close(resolve));
});

test("a connection that fails is tried again, and the time comes", async () => {
  const target = await targetAt();
  refusals = 2;
  expect(await time.now(target)).toBe(5000);
  expect(asked).toEqual(Array.from({ length: 3 }, () => "GET /control/status"));
  refusals = 2;
  expect(await time.waitUntil(target, 5000, new AbortController().signal)).toBe(5000);
});

test("a door that never answers is named, with what the connection says", async () => {
  const target = await targetAt();
  refusals = 3;
  await expect(time.now(target)).rejects.toThrow(
    /the control API of driven at http:\/\/127\.0\.0\.1:\d+\/control\/status does not answer after 3 tries \(.*(closed|ECONNRESET|hang up).*\); is its cloud running\?/,
  );
  expect(asked).toHaveLength(3);
});
