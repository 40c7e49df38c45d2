import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import { allowed, install } from "../testing/component.ts";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";
import { secretEnd } from "../testing/secret-end.ts";

const MANAGER = "aws.greengrass.SecretManager";
const ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:door-AbCdEf";
const version = (versionId: string, stages: string[], secretString = `text of ${versionId}`) => ({
  arn: ARN,
  name: "door",
  versionId,
  versionStages: stages,
  secretString,
});

async function device(labels: string[] = []) {
  const secrets = secretEnd();
  secrets.versions.set(`${ARN} AWSCURRENT`, version("v2", ["AWSCURRENT"]));
  secrets.versions.set(`${ARN} AWSPREVIOUS`, version("v1", ["AWSPREVIOUS"]));
  const it = await deviceUnderTest({ secrets });
  await install(it, {
    [MANAGER]: { cloudSecrets: [{ arn: ARN, labels }] },
    A: allowed(MANAGER, ["GetSecretValue"], [`${ARN.slice(0, -6)}*`]),
    B: {},
  });
  const get = (request: JsonObject, principal = "A") =>
    it.device.service.open(principal, "GetSecretValue", request, noStream());
  return { ...it, secrets, get };
}

test("a listed secret is given by name and by ARN, in the version that is asked for [core-device-8.21]", async () => {
  const it = await device(["AWSPREVIOUS"]);
  const current = {
    secretId: ARN,
    versionId: "v2",
    versionStage: ["AWSCURRENT"],
    secretValue: { secretString: "text of v2" },
  };
  expect(await it.get({ secretId: "door" })).toEqual(current);
  expect(await it.get({ secretId: ARN, versionStage: "AWSCURRENT" })).toEqual(current);
  expect(await it.get({ secretId: ARN, versionId: "v1" })).toMatchObject({
    secretValue: { secretString: "text of v1" },
  });
  await expect(it.get({ secretId: "other" })).rejects.toMatchObject({ code: "ResourceNotFoundError" });
  await expect(it.get({ secretId: ARN, versionId: "v9" })).rejects.toMatchObject({
    code: "ResourceNotFoundError",
    message: `Version Id v9 not found for secret ${ARN}`,
  });
  await expect(it.get({ secretId: ARN, versionId: "v1", versionStage: "AWSPREVIOUS" })).rejects.toMatchObject(
    {
      code: "ServiceError",
    },
  );
  await expect(it.get({ secretId: "door" }, "B")).rejects.toMatchObject({ code: "UnauthorizedError" });
});

test("secrets outlive the network and the process, sealed on the disk [core-device-8.22]", async () => {
  const it = await device();
  const kept = (await it.root.readText("work/aws.greengrass.SecretManager/secrets.json")) ?? "";
  expect(kept).toContain(ARN);
  expect(kept).not.toContain("text of v2");
  await it.device.stop();
  it.secrets.isReachable = false;
  const again = await it.restarted();
  await again.run(5000);
  expect(again.stateOf(MANAGER)).toBe("RUNNING");
  expect(
    await again.device.service.open("A", "GetSecretValue", { secretId: "door" }, noStream()),
  ).toMatchObject({
    secretValue: { secretString: "text of v2" },
  });
});

test("a secret is fetched again when a caller asks for it, or the list changes [core-device-8.23]", async () => {
  const it = await device();
  it.secrets.versions.set(`${ARN} AWSCURRENT`, version("v3", ["AWSCURRENT"]));
  expect(await it.get({ secretId: "door" })).toMatchObject({ versionId: "v2" });
  expect(await it.get({ secretId: "door", refresh: true })).toMatchObject({ versionId: "v3" });
  it.secrets.isReachable = false;
  expect(await it.get({ secretId: "door", refresh: true })).toMatchObject({ versionId: "v3" });
  it.secrets.isReachable = true;
  await expect(it.get({ secretId: "door", versionStage: "AWSPREVIOUS" })).rejects.toMatchObject({
    code: "ResourceNotFoundError",
  });
  const merge = { cloudSecrets: [{ arn: ARN, labels: ["AWSPREVIOUS"] }] };
  const components = Object.fromEntries([MANAGER, "A", "B"].map((name) => [name, { version: "1.0.0" }]));
  it.cloud.deployJob(
    "labels",
    groupDocument(2, { ...components, [MANAGER]: { version: "1.0.0", configurationUpdate: { merge } } }),
  );
  await it.run(5000);
  expect(await it.get({ secretId: "door", versionStage: "AWSPREVIOUS" })).toMatchObject({ versionId: "v1" });
});

test("a secret that is neither in the cloud nor here stops the secret manager with a sentence [core-device-8.22]", async () => {
  const secrets = secretEnd();
  const it = await deviceUnderTest({ secrets });
  await install(it, { [MANAGER]: { cloudSecrets: [{ arn: ARN }] } });
  await it.run(20_000);
  expect(it.events).toContainEqual(
    expect.objectContaining({
      component: expect.objectContaining({
        name: MANAGER,
        state: "BROKEN",
        details: {
          code: "STARTUP_ERROR",
          reason: expect.stringContaining(
            `Could not download secret ${ARN} with label AWSCURRENT from cloud`,
          ),
        },
      }),
    }),
  );
});
