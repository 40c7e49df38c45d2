import { createHash, createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
} from "@aws-sdk/client-iot";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { FirehoseClient } from "@aws-sdk/client-firehose";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { App } from "aws-cdk-lib/core";
import { Sha256, ThingName, topics } from "@coalmine/contract";
import { certificateAnswerTopic } from "@coalmine/contract/commissioning";
import { nodeCrypto } from "@coalmine/device/crypto";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { Closing, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ClaimCloud,
  closeClaimCloud,
  ensureCommissioningTable,
  openClaimCloud,
} from "../api/claims/claim-cloud.ts";
import { mintCodes } from "../api/claims/mint.ts";
import type { Invoke } from "../cli/system/invoke.ts";
import { setUpRegion } from "../cli/system/set-up.ts";
import { setUpEvidenceLake } from "../cli/system/set-up-lake.ts";
import { decodePoints, encodePoints } from "../components/stream-uploader/src/batch-record.ts";
import { curve } from "../components/stream-uploader/src/device.fixture.ts";
import { LakeRows } from "../components/stream-uploader/src/lake-file.ts";
import { app } from "../infra/app.ts";
import { evidenceFunction, intoBoth } from "../infra/handlers/evidence/evidence.ts";
import { askFunction, intakeFunction } from "../infra/handlers/results/results.ts";
import { fileShelf, RESULTS_TABLE, tableShelf } from "../infra/handlers/results/shelf.ts";
import { commissioningFunctions, functionNames } from "../infra/identity/functions.ts";
import { names } from "../infra/identity/identity.ts";
import { ResultsStack } from "../infra/results/results-stack.ts";
import { EvidenceLake } from "../pipeline/evidence/evidence-lake.ts";
import { EvidenceStore } from "../pipeline/evidence/evidence-store.ts";
import { certificateIdOf } from "../simulator/cloud/iot/certificates.ts";
import { startTestCloud, type TestCloud } from "../simulator/cloud/protocol/test-cloud.ts";
import { enforceRights, type EnforcedRights } from "./enforced-rights.ts";
import { rolesOf } from "./synthesized-roles.ts";

/**
 * The functions of commissioning, evidence and results, each with the credentials of its own role: the cloud refuses what
 * the synthesized policy does not allow, and at the end no right is left that nobody had a use for.
 */

const place = { region: "us-east-1", accountId: "123456789012", partition: "aws" };
const env = { account: place.accountId, region: place.region };
const artifacts = `coalmine-artifacts-${place.region}-${place.accountId}`;
const lake = `coalmine-lake-${place.region}-${place.accountId}`;
const thing = ThingName.parse("core-01");
const folder = mkdtempSync(join(tmpdir(), "coalmine-functions-"));
const closing = new Closing();
let roles: ReturnType<typeof rolesOf>;
let cloud: TestCloud;
let rights: EnforcedRights;
let operators: ClaimCloud;

beforeAll(async () => {
  const byFiles = new ResultsStack(new App(), "ByFiles", {
    env,
    code: import.meta.dirname,
    isHome: true,
    lakeBucket: lake,
    people: undefined,
  });
  roles = new Map([...rolesOf(app({}, folder).stacks), ...rolesOf([byFiles])]);
  cloud = closing.add(await startTestCloud(), (one) => one.close());
  rights = enforceRights(cloud.cloud);
  const invoke: Invoke = (...call) => cloud.cloud.invoke(...call);
  await setUpRegion(invoke, place, [artifacts, lake]);
  await setUpEvidenceLake(invoke, place, lake);
  operators = claimCloud(cloud.client);
  await ensureCommissioningTable(operators);
  await new EvidenceStore(operators.dynamodb, "fleet").ensure(systemClock);
  await operators.dynamodb.send(
    new CreateTableCommand({
      TableName: RESULTS_TABLE,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "thing", KeyType: "HASH" },
        { AttributeName: "what", KeyType: "RANGE" },
      ],
      AttributeDefinitions: ["thing", "what"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    }),
  );
}, 300_000);
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
});

function claimCloud(settings: TestCloud["client"]): ClaimCloud {
  const rest = {
    clock: systemClock,
    log: silentLog,
    template: names.provisioningTemplate,
    bucket: artifacts,
  };
  return closing.add(openClaimCloud(settings, rest), closeClaimCloud);
}

/** Settings of clients that have this role, by its construct's path. */
async function as(path: string): Promise<TestCloud["client"]> {
  const own = roles.get(path);
  if (own === undefined) throw new Error(`no role ${path}; there are ${[...roles.keys()].join(", ")}`);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = await rights.signIn(
    nameOf(path),
    own,
  );
  const credentials = {
    accessKeyId: AWS_ACCESS_KEY_ID ?? "",
    secretAccessKey: AWS_SECRET_ACCESS_KEY ?? "",
    sessionToken: AWS_SESSION_TOKEN ?? "",
  };
  return { ...cloud.client, credentials };
}

function nameOf(path: string): string {
  return path.replaceAll("/", ".");
}

/** What the role allows beside what was done with it, and beside the function's own log. */
function unused(path: string): string[] {
  const done = rights.done(nameOf(path));
  return [...new Set((roles.get(path) ?? []).flatMap(({ actions }) => actions))].filter(
    (action) => !done.has(action) && !action.startsWith("logs:"),
  );
}

const commissioning = (name: keyof typeof functionNames): string =>
  `CoalmineIdentity/Commissioning/${name}/Role`;

async function functionOf(name: keyof typeof functionNames): Promise<(event: unknown) => Promise<unknown>> {
  return commissioningFunctions(claimCloud(await as(commissioning(name))))[functionNames[name]];
}

const post = (rawPath: string, body: object): object => ({
  rawPath,
  requestContext: { http: { method: "POST", sourceIp: "192.0.2.1" } },
  body: JSON.stringify(body),
  isBase64Encoded: false,
});
const keyOf = (privateKey: string): Sha256 =>
  Sha256.parse(
    createHash("sha256")
      .update(createPublicKey(privateKey).export({ type: "spki", format: "der" }))
      .digest("hex"),
  );

test("commissioning: codes are exchanged, refused and told apart, devices are let in, reports kept and certificates changed, each by its own role", async () => {
  const [claims, allowList, record, certificates] = [
    await functionOf("claims"),
    await functionOf("allowList"),
    await functionOf("record"),
    await functionOf("certificates"),
  ];
  const [minted] = await mintCodes(operators, { site: "ward-7", serial: thing, who: "ada" });
  const { privateKey, request: certificateSigningRequest } = newSigningRequest(thing);
  const shown = { code: minted?.code ?? "", key: keyOf(privateKey) };
  const asked = async (
    body: object,
    path = "/claims/exchange",
  ): Promise<{ statusCode: number; body: string }> =>
    (await claims(post(path, body))) as { statusCode: number; body: string };
  const exchanged = await asked(shown);
  expect(exchanged.statusCode).toBe(200);
  const { certificatePem: claim } = JSON.parse(exchanged.body) as { certificatePem: string };

  const { iot } = operators;
  const made = await iot.send(
    new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }),
  );
  const { certificateId = "", certificatePem = "", certificateArn: principal = "" } = made;
  const enters = (SerialNumber: string): Promise<unknown> =>
    allowList({
      claimCertificateId: certificateIdOf(claim),
      certificateId,
      certificatePem,
      parameters: { SerialNumber, Site: "ward-7" },
    });
  expect(await enters("core-02")).toEqual({ allowProvisioning: false });
  expect(await asked(shown, "/claims/why")).toMatchObject({
    statusCode: 200,
    body: expect.stringContaining("serial"),
  });
  expect(await enters(thing)).toEqual({ allowProvisioning: true });
  await iot.send(new CreateThingCommand({ thingName: thing }));
  await iot.send(new AttachPolicyCommand({ policyName: names.devicePolicy, target: principal }));
  await iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal }));
  // A code that has made a device is shown again, also by another key; and a wrong one.
  for (const key of [shown.key, Sha256.parse("a".repeat(64))])
    expect(await asked({ ...shown, key })).toMatchObject({ statusCode: 409 });
  expect(await asked({ ...shown, code: "ABCD-EFGH-JKMN" })).toMatchObject({
    statusCode: expect.toSatisfy((status: number) => status === 400 || status === 404),
  });
  expect(await enters(thing)).toEqual({ allowProvisioning: false });

  const report = JSON.stringify({
    thing,
    site: "ward-7",
    finishedAt: "2030-01-01T00:00:00Z",
    certificateId,
    passed: true,
    ports: [],
  });
  const sha256 = createHash("sha256").update(report).digest("hex");
  for (const _ of ["once", "and again"]) await record({ thing, report, sha256, who: "tom" });

  const told: string[] = [];
  cloud.cloud.events.on((event) => {
    if (event.kind === "mqtt-message" && event.topic === certificateAnswerTopic(thing))
      told.push(JSON.parse(Buffer.from(event.payload).toString("utf8")).certificateId);
  });
  const request = { version: 1, kind: "request", request: newSigningRequest(thing).request };
  await certificates({ thing, principal: certificateId, ...request });
  await certificates({ thing, principal: told[0], version: 1, kind: "confirm" });

  for (const name of ["claims", "allowList", "record", "certificates"] as const)
    expect(unused(commissioning(name)), name).toEqual([]);
});

test("evidence: what topic rules hand over is put by the function's role, which may do nothing else", async () => {
  const path = "CoalmineTelemetry/Keep/Role";
  const dynamodb = closing.add(new DynamoDBClient(await as(path)), (client) => client.destroy());
  const firehose = closing.add(new FirehoseClient(await as(path)), (client) => client.destroy());
  const store = new EvidenceStore(dynamodb, "fleet");
  const heard = evidenceFunction({
    put: intoBoth(store, new EvidenceLake(firehose, "fleet")),
    log: silentLog,
    metricLine: () => undefined,
  });
  const at = systemClock.now();
  const heartbeat = { version: 1, thing, sentMs: at, sequence: 1, components: [] };
  const payload = Buffer.from(JSON.stringify(heartbeat)).toString("base64");
  await heard({ payload, topic: topics.heartbeat(thing), at });
  await heard({ thing, presence: "disconnected", at, reason: "CONNECTION_LOST" });
  const rows = await new EvidenceStore(operators.dynamodb, "fleet").minute(Math.floor(at / 60_000));
  expect(rows.map(({ source }) => source).toSorted()).toEqual(["connection", "heartbeat"]);
  expect(unused(path)).toEqual([]);
});

const object = (key: string): object => ({ detail: { bucket: { name: lake }, object: { key } } });

test("results: taken out of the lake and told by two roles, by the table or by files alone", async () => {
  const rows = new LakeRows(thing);
  const points = curve(1, 1, 60);
  const columns = decodePoints(encodePoints(points));
  for (let at = 0; at < points.length; at++) rows.add(columns, at);
  const key = `measurements/dt=2026-01-05/thing=${thing}/e-1-60-v1.parquet`;
  await operators.s3.send(
    new PutObjectCommand({ Bucket: lake, Key: key, Body: rows.toParquet({}, nodeCrypto) }),
  );
  const clients = async (path: string): Promise<{ s3: S3Client; dynamodb: DynamoDBClient }> => {
    const settings = await as(path);
    return {
      s3: closing.add(new S3Client({ ...settings, forcePathStyle: true }), (one) => one.destroy()),
      dynamodb: closing.add(new DynamoDBClient(settings), (one) => one.destroy()),
    };
  };
  const taking = await clients("CoalmineResults/intake/Role");
  const intake = intakeFunction(taking.s3, tableShelf(taking.dynamodb));
  expect(await intake(object(key))).toEqual({ results: 1 });
  const telling = await clients("CoalmineResults/ask/Role");
  const ask = askFunction(tableShelf(telling.dynamodb));
  const http = { method: "GET", sourceIp: "192.0.2.1" };
  const told = await ask({ rawPath: `/devices/${thing}/results`, requestContext: { http } });
  expect(told).toMatchObject({ statusCode: 200, body: expect.stringContaining('"sequence":60') });

  const byFiles = await clients("ByFiles/intake/Role");
  const shelf = fileShelf(byFiles.s3, lake);
  for (const _ of ["a new file", "one that is there"])
    expect(await intakeFunction(byFiles.s3, shelf)(object(key))).toEqual({ results: 1 });
  expect(await shelf.of(thing)).toHaveLength(1);
  // Firehose's and everybody else's folders are nobody's here.
  await expect(byFiles.s3.send(new PutObjectCommand({ Bucket: lake, Key: key, Body: "{}" }))).rejects.toThrow(
    /not authorized to perform: s3:PutObject/,
  );
  for (const path of ["CoalmineResults/intake/Role", "CoalmineResults/ask/Role"])
    expect(unused(path), path).toEqual([]);
  // Without the list S3 says of a file that is not there yet that one may not know.
  expect(unused("ByFiles/intake/Role")).toEqual(["s3:ListBucket"]);
});
