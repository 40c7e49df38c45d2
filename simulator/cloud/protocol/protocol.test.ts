import { request } from "node:http";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  GreengrassV2Client,
  ListComponentsCommand,
  GetDeploymentCommand,
  ResourceNotFoundException,
  ListClientDevicesAssociatedWithCoreDeviceCommand,
  GetComponentCommand,
} from "@aws-sdk/client-greengrassv2";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { DrivenClock } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ServiceError } from "../service.ts";
import { listen } from "./http-server.ts";
import { operator, startTestCloud, type TestCloud } from "./test-cloud.ts";

let cloud: TestCloud;
const clock = new DrivenClock(Date.parse("2031-05-05T00:00:00Z"), () => new Promise(setImmediate));
beforeAll(async () => {
  // The cloud's own clock is years away: only what SDKs know may be on the wall clock.
  cloud = await startTestCloud({ clock });
});
afterAll(() => cloud.close());

test("AWS_ENDPOINT_URL alone brings every unmodified client here", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL", cloud.endpoint);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", operator.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", operator.secretAccessKey);
  expect((await new GreengrassV2Client().send(new ListComponentsCommand({}))).components).toEqual([]);
  expect((await new S3Client().send(new ListBucketsCommand({}))).Buckets).toEqual([]);
  expect((await new CloudWatchLogsClient().send(new DescribeLogGroupsCommand({}))).logGroups).toEqual([]);
  expect((await new DynamoDBClient().send(new ListTablesCommand({}))).TableNames).toEqual([]);
  const me = await new STSClient().send(new GetCallerIdentityCommand({}));
  expect(me).toMatchObject({ Account: "123456789012", Arn: "arn:aws:iam::123456789012:user/operator" });
  vi.unstubAllEnvs();
});

test("a wrong secret, an unknown key, another region and an old date are refused as AWS refuses them", async () => {
  const send = (more: object) =>
    new GreengrassV2Client({ ...cloud.client, ...more }).send(new ListComponentsCommand({}));
  await expect(send({ credentials: { ...operator, secretAccessKey: "another" } })).rejects.toMatchObject({
    name: "InvalidSignatureException",
    $metadata: { httpStatusCode: 403 },
  });
  await expect(send({ credentials: { ...operator, accessKeyId: "AKIAUNKNOWN" } })).rejects.toMatchObject({
    name: "UnrecognizedClientException",
  });
  await expect(send({ region: "eu-west-1" })).rejects.toThrow("us-east-1");
  await expect(send({ systemClockOffset: -3600_000 })).rejects.toMatchObject({
    name: "InvalidSignatureException",
  });
  const s3 = new S3Client({ ...cloud.client, credentials: { ...operator, secretAccessKey: "x" } });
  await expect(s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
});

test("a client with a wrong clock corrects itself by the Date header", async () => {
  const client = new GreengrassV2Client({
    ...cloud.client,
    maxAttempts: 3,
    systemClockOffset: -3600_000,
  });
  expect((await client.send(new ListComponentsCommand({}))).components).toEqual([]);
});

test("an assumed role's credentials work until they expire on the cloud's clock", async () => {
  const { Credentials } = await new STSClient(cloud.client).send(
    new AssumeRoleCommand({
      RoleArn: "arn:aws:iam::123456789012:role/publisher",
      RoleSessionName: "test",
      DurationSeconds: 900,
    }),
  );
  const credentials = {
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretAccessKey ?? "",
    sessionToken: Credentials?.SessionToken ?? "",
  };
  // What an SDK is told is on the wall clock, else it would throw them away or never renew them.
  expect(Math.abs((Credentials?.Expiration?.getTime() ?? 0) - Date.now() - 900_000)).toBeLessThan(60_000);
  const me = () => new STSClient({ ...cloud.client, credentials }).send(new GetCallerIdentityCommand({}));
  expect((await me()).Arn).toBe("arn:aws:sts::123456789012:assumed-role/publisher/test");
  await expect(
    new STSClient({ ...cloud.client, credentials: { ...credentials, sessionToken: "forged" } }).send(
      new GetCallerIdentityCommand({}),
    ),
  ).rejects.toMatchObject({ name: "UnrecognizedClientException" });
  await clock.runUntil(clock.now() + 901_000);
  await expect(me()).rejects.toMatchObject({ name: "ExpiredTokenException" });
});

test("errors come as the SDK's own exceptions, over HTTP and in process", async () => {
  const client = new GreengrassV2Client(cloud.client);
  const failure: unknown = await client
    .send(new GetDeploymentCommand({ deploymentId: "none" }))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ResourceNotFoundException);
  expect(failure).toMatchObject({ resourceId: "none", resourceType: "DEPLOYMENT" });
  await expect(cloud.cloud.invoke("greengrass", "GetDeployment", { deploymentId: "none" })).rejects.toThrow(
    ServiceError,
  );
  await expect(
    client.send(new ListClientDevicesAssociatedWithCoreDeviceCommand({ coreDeviceThingName: "t" })),
  ).rejects.toMatchObject({ name: "UnknownOperationException" });
  await expect(client.send(new GetComponentCommand({ arn: "not an arn" }))).rejects.toMatchObject({
    name: "ValidationException",
  });
});

test("a device's role may put objects and logs, and nothing of the operator's", async () => {
  const device = {
    identity: { kind: "role", roleArn: "arn:aws:iam::123456789012:role/tes", thingName: "t" },
  } as const;
  await expect(cloud.cloud.invoke("logs", "DescribeLogGroups", {}, device)).resolves.toBeDefined();
  await expect(cloud.cloud.invoke("greengrass", "ListDeployments", {}, device)).rejects.toThrow(
    "is not authorized to perform: greengrass:ListDeployments",
  );
});

test("JSON nested too deeply, and requests without a signature, are refused before they are read", async () => {
  const deep = await cloud.cloud.handle({
    method: "POST",
    rawPath: "/",
    rawQuery: "",
    headers: { "x-amz-target": "Logs_20140328.DescribeLogGroups" },
    body: Buffer.from("[".repeat(100_000)),
  });
  expect(deep.status).toBe(403);
  const { parseJsonBody } = await import("./json-shape.ts");
  expect(() => parseJsonBody("[".repeat(100_000))).toThrow("deeper than");
  expect(parseJsonBody('{"text":"[[[[ \\" {{{"}')).toEqual({ text: '[[[[ " {{{' });
});

test("only loopback is served, a taken port is said clearly, and too large a body is refused", async () => {
  const never = () => Promise.resolve({ status: 200, headers: {}, body: "" });
  await expect(listen(never, { host: "0.0.0.0", port: 0 })).rejects.toThrow("loopback only");
  const port = Number(new URL(cloud.endpoint).port);
  await expect(listen(never, { port })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
  const remote = await listen(never, { host: "0.0.0.0", port: 0, allowRemote: true });
  await remote.close();
  const status = await new Promise((resolve, reject) => {
    const outgoing = request(cloud.endpoint, { method: "GET", path: "/%zz/%zz" }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
  expect(status).toBe(403);
});
