import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { MemoryCloud } from "../testing/memory-cloud.ts";
import { drain } from "../testing/services.ts";
import { CredentialsCache } from "./credentials.ts";
import { CREDENTIALS_PATH, credentialsEndpoint } from "./credentials-endpoint.ts";

function underTest() {
  const clock = new DrivenClock(Date.parse("2026-11-23T08:00:00Z"), drain);
  const cloud = new MemoryCloud();
  const configured = { roleAlias: "Alias", retrySeconds: {} };
  const cache = new CredentialsCache(
    clock,
    cloud,
    () => configured.roleAlias,
    () => configured.retrySeconds,
  );
  const endpoint = credentialsEndpoint(cache, (token) => token === "right");
  const ask = async (authorization = "right", method = "GET", path = CREDENTIALS_PATH) => {
    const answer = endpoint({ method, path, authorization });
    await clock.runUntil(clock.now() + 1000);
    return answer;
  };
  return { clock, cloud, ask, configured, run: (ms: number) => clock.runUntil(clock.now() + ms) };
}

test("credentials are kept until five minutes before they end [core-device-8.12]", async () => {
  const { cloud, ask, run } = underTest();
  const { status, body } = await ask();
  expect([status, JSON.parse(body)]).toEqual([
    200,
    { AccessKeyId: "AKIA", SecretAccessKey: "secret", Token: "token", Expiration: "2026-11-23T09:00:00Z" },
  ]);
  await run(54 * 60_000);
  await ask();
  expect(cloud.credentialRequests).toBe(1);
  await run(2 * 60_000);
  await ask();
  expect(cloud.credentialRequests).toBe(2);
});

test.each([
  [403, 120_000, 1],
  [500, 60_000, 3],
])("a refusal with %i is remembered for %i ms [core-device-8.13]", async (refusal, keptMs, requests) => {
  const { cloud, ask, run } = underTest();
  cloud.credentialStatus = refusal;
  const { status, body } = await ask();
  expect([status, body]).toEqual([
    refusal,
    expect.stringContaining(`TES responded with status code: ${refusal}. Caching response.`),
  ]);
  await run(keptMs - 5000);
  await ask();
  expect(cloud.credentialRequests).toBe(requests);
  await run(6000);
  cloud.credentialStatus = 200;
  expect((await ask()).status).toBe(200);
});

test("while offline nothing is remembered: the next call asks again [core-device-8.13]", async () => {
  const { cloud, ask } = underTest();
  cloud.online = false;
  expect((await ask()).status).toBe(500);
  cloud.online = true;
  expect((await ask()).status).toBe(200);
});

test("the endpoint takes GET at its path, from those with a token [core-device-8.14]", async () => {
  const { ask } = underTest();
  expect([
    (await ask("wrong")).status,
    (await ask("right", "POST")).status,
    (await ask("right", "GET", "/")).status,
  ]).toEqual([403, 405, 400]);
});

test("credentials of another role alias are no answer, and how long a refusal is kept can be set [core-device-8.36]", async () => {
  const { cloud, ask, run, configured } = underTest();
  await ask();
  configured.roleAlias = "Other";
  await ask();
  expect(cloud.credentialRequests).toBe(2);
  for (const [clientError, keptMs] of [
    [600, 600_000],
    [5, 120_000],
  ] as const) {
    configured.retrySeconds = { clientError };
    configured.roleAlias = `Alias${clientError}`;
    cloud.credentialStatus = 403;
    const before = cloud.credentialRequests;
    await ask();
    await run(keptMs - 5000);
    await ask();
    expect(cloud.credentialRequests - before).toBe(1);
    await run(5000);
    await ask();
    expect(cloud.credentialRequests - before).toBe(2);
  }
});
