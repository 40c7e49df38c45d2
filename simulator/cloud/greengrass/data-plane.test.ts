import { createHash } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { iotArn, startTestFleet } from "./test-fleet.ts";

const fleet = await startTestFleet();
const { cloud, device, publish, deploy, handle } = fleet;
afterAll(() => fleet.close());

test("the data plane gives the highest version that satisfies all, and says when none does", async () => {
  for (const version of ["1.0.0", "1.5.0", "2.0.0"]) await publish("com.example.Dep", version);
  const resolve = async (componentName: string, versionRequirements: object, as = device) => {
    const answer = await handle(
      {
        method: "POST",
        path: "/greengrass/v2/resolveComponentCandidates",
        body: Buffer.from(
          JSON.stringify({
            platform: { attributes: { os: "linux" } },
            componentCandidates: [{ componentName, versionRequirements }],
          }),
        ),
      },
      as,
    );
    return { status: answer.status, body: JSON.parse(answer.body) };
  };
  const found = await resolve("com.example.Dep", { a: ">=1.0.0 <2.0.0", b: "^1.0.0" });
  expect(found.body.resolvedComponentVersions).toMatchObject([
    { componentVersion: "1.5.0", vendorGuidance: "ACTIVE" },
  ]);
  const stored = JSON.parse(
    Buffer.from(found.body.resolvedComponentVersions[0].recipe, "base64").toString("utf8"),
  );
  expect(stored.ComponentVersion).toBe("1.5.0");
  const none = await resolve("com.example.Dep", { a: "=1.0.0", b: ">=2.0.0" });
  expect(none.status).toBe(404);
  expect(none.body.message).toContain("no usable version");
  expect((await resolve("aws.greengrass.TokenExchangeService", { a: ">=2.0.0" })).body).toMatchObject({
    resolvedComponentVersions: [{ componentVersion: "2.0.3" }],
  });
  const stranger = { thingName: "core-1", certificateId: "0".repeat(64) };
  expect((await resolve("com.example.Dep", {}, stranger)).status).toBe(403);
});

test("an artifact's URL gives its bytes, and a device learns its own groups only", async () => {
  await cloud.cloud.invoke("s3", "PutObject", {
    Bucket: "artifacts",
    Key: "c/1.0.0/main.zip",
    Body: Buffer.from("artifact bytes"),
  });
  await publish("com.example.Hashed", "1.0.0", "s3://artifacts/c/1.0.0/main.zip");
  const arn = "arn:aws:greengrass:us-east-1:123456789012:components:com.example.Hashed:versions:1.0.0";
  const path = `/greengrass/v2/components/${encodeURIComponent(arn)}/artifacts/main.zip`;
  const { preSignedUrl } = JSON.parse((await handle({ path })).body);
  expect(await (await fetch(preSignedUrl)).text()).toBe("artifact bytes");
  expect((await handle({ path: path.replace("main.zip", "other.zip") })).status).toBe(404);
  const groups = JSON.parse((await handle({ path: "/greengrass/v2/coreDevices/core-1/thingGroups" })).body);
  expect(groups.thingGroups).toMatchObject([{ thingGroupName: "canary" }]);
  expect((await handle({ path: "/greengrass/v2/coreDevices/core-2/thingGroups" })).status).toBe(403);
});

test("a document too large for a job is fetched by the device, whole and with its digest", async () => {
  await publish("com.example.Large", "1.0.0");
  const merge = JSON.stringify({ text: "x".repeat(40_000) });
  const { deploymentId, iotJobId } = await deploy(
    `${iotArn}:thinggroup/canary`,
    {},
    {
      components: { "com.example.Large": { componentVersion: "1.0.0", configurationUpdate: { merge } } },
    },
  );
  const { document } = Object(await cloud.cloud.invoke("iot", "GetJobDocument", { jobId: iotJobId }));
  expect(JSON.parse(document).requiredCapabilities).toEqual(["LARGE_CONFIGURATION"]);
  const answer = await handle({ path: `/greengrass/v2/deployments/${deploymentId}/configuration` });
  const { preSignedUrl, integrityCheck } = JSON.parse(answer.body);
  const bytes = Buffer.from(await (await fetch(preSignedUrl)).arrayBuffer());
  expect(createHash("sha256").update(bytes).digest("base64")).toBe(integrityCheck.digest);
  expect(JSON.parse(bytes.toString("utf8")).components["com.example.Large"].version).toBe("1.0.0");
});
