import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { everything, iotRig } from "../iot/iot-rig.ts";
import type { HookRequest } from "./pre-provisioning-hook.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { der } from "./der.ts";

const HOUR = 3600_000;

/** A PKCS #10 request, as a device makes it. */
function signingRequest(
  signingKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  claimed = signingKey,
) {
  const info = der.sequence(
    der.integer(Buffer.from([0])),
    der.sequence(der.set(der.sequence(der.oid("2.5.4.3"), der.utf8("device")))),
    createPublicKey(claimed).export({ type: "spki", format: "der" }),
    der.context(0, Buffer.alloc(0), "constructed"),
  );
  const request = der.sequence(
    info,
    der.sequence(der.oid("1.2.840.10045.4.3.2")),
    der.bitString(sign("sha256", info, signingKey)),
  );
  return `-----BEGIN CERTIFICATE REQUEST-----\n${request.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}

test("the authority keeps its key to its owner, and is the same after a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "authority-"));
  try {
    const options = { folder: join(folder, "ca"), random: new SeededRandom("a"), wallClock: systemClock };
    const first = await CertificateAuthority.open(options);
    const second = await CertificateAuthority.open(options);
    expect(second.certificatePem).toBe(first.certificatePem);
    expect((await stat(join(folder, "ca", "ca.key"))).mode & 0o777).toBe(0o600);
    const root = new X509Certificate(first.certificatePem);
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    const device = new X509Certificate(second.keysAndCertificate().certificatePem);
    expect(device.checkIssued(root) && device.verify(root.publicKey)).toBe(true);
    expect(device.ca).toBe(false);
    expect(device.validToDate.getUTCFullYear()).toBe(2049);
    const server = new X509Certificate(second.serverCertificate().certificatePem);
    expect(server.checkHost("localhost")).toBe("localhost");
    expect(server.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(server.checkHost("example.com")).toBeUndefined();
    expect(
      new X509Certificate(second.expiredKeysAndCertificate().certificatePem).validToDate.getTime(),
    ).toBeLessThan(systemClock.now());
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a request is signed for the key that it proves, and for no other", async () => {
  const authority = await CertificateAuthority.open({
    random: new SeededRandom("a"),
    wallClock: systemClock,
  });
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  expect(new X509Certificate(authority.signCsr(signingRequest(key))).checkPrivateKey(key)).toBe(true);
  const stolen = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  expect(() => authority.signCsr(signingRequest(key, stolen))).toThrow(/signature does not fit/);
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  expect(() => authority.signCsr(signingRequest(weak))).toThrow(/refused/);
  expect(() => authority.signCsr("nonsense")).toThrow(/PEM/);
  const truncated = signingRequest(key).replace(/.{40}\n-----END/, "\n-----END");
  expect(() => authority.signCsr(truncated)).toThrow(/cannot be read/);
});

const template = {
  Parameters: {
    SerialNumber: { Type: "String" },
    Site: { Type: "String", Default: "north" },
    "AWS::IoT::Certificate::Id": { Type: "String" },
  },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: {
        ThingName: { "Fn::Join": ["-", ["core", { Ref: "SerialNumber" }]] },
        AttributePayload: { site: { Ref: "Site" } },
        ThingGroups: ["fleet"],
      },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
    },
    policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "device" } },
  },
  DeviceConfiguration: { greeting: { "Fn::Sub": "hello ${SerialNumber}" } },
};

const hookArn = "arn:aws:lambda:us-east-1:123456789012:function:hook";

async function claimant(hook?: (request: HookRequest) => unknown) {
  const rig = await iotRig(
    hook === undefined ? {} : { callFunction: async (_arn, event) => hook(event as HookRequest) },
  );
  await rig.call("CreateThingGroup", { thingGroupName: "fleet" });
  await rig.call("CreatePolicy", { policyName: "device", policyDocument: JSON.stringify(everything) });
  await rig.call("CreateProvisioningTemplate", {
    templateName: "commission",
    templateBody: JSON.stringify(template),
    enabled: true,
    provisioningRoleArn: "arn:aws:iam::123456789012:role/provisioning",
    ...(hook === undefined ? {} : { preProvisioningHook: { targetArn: hookArn } }),
  });
  const claimId = await rig.device("claim");
  const client = await rig.connect("anything", claimId);
  client.subscribe("$aws/certificates/#", "$aws/provisioning-templates/#");
  await rig.clock.settle();
  const ask = async (topic: string, request: object): Promise<Record<string, string>> => {
    client.publish(topic, JSON.stringify(request));
    await rig.clock.settle();
    const answer = client.messages.findLast((message) => message.topic.startsWith(`${topic}/`));
    const ending = answer?.topic.slice(topic.length + 1) ?? "";
    return { ending, ...(JSON.parse(answer?.payload.toString() ?? "{}") as object) };
  };
  const certify = () =>
    ask("$aws/certificates/create-from-csr/json", { certificateSigningRequest: signingRequest() });
  const provision = (
    certificateOwnershipToken: string | undefined,
    parameters: object = { SerialNumber: "7" },
  ) =>
    ask("$aws/provisioning-templates/commission/provision/json", { certificateOwnershipToken, parameters });
  return {
    ...rig,
    get parts() {
      return rig.parts;
    },
    ask,
    certify,
    provision,
    claimId,
  };
}

test("a claim becomes a thing with its certificate, group and policy, and its use is recorded", async () => {
  const { certify, provision, parts, claimId, call } = await claimant();
  const { ending, certificateId = "", certificateOwnershipToken } = await certify();
  expect(ending).toBe("accepted");
  expect(parts.iot.certificates.certificate(certificateId).status).toBe("PENDING_ACTIVATION");
  const done = await provision(certificateOwnershipToken);
  expect(done).toMatchObject({
    ending: "accepted",
    thingName: "core-7",
    deviceConfiguration: { greeting: "hello 7" },
  });
  expect(parts.iot.certificates.isActive(certificateId)).toBe(true);
  expect((await call("DescribeThing", { thingName: "core-7" })).attributes).toEqual({ site: "north" });
  expect((await call("ListThingsInThingGroup", { thingGroupName: "fleet" })).things).toEqual(["core-7"]);
  expect((await call("ListThingPrincipals", { thingName: "core-7" })).principals).toEqual([
    `arn:aws:iot:us-east-1:123456789012:cert/${certificateId}`,
  ]);
  expect(parts.provisioning.uses).toMatchObject([
    { claimCertificateId: claimId, certificateId, thingName: "core-7" },
  ]);
  // One token is for one use.
  expect(await provision(certificateOwnershipToken)).toMatchObject({
    errorCode: "InvalidCertificateOwnershipToken",
  });
});

test("keys can be made by the cloud as well, and only who asked is told them", async () => {
  const { ask, connect, claimId, clock } = await claimant();
  const eavesdropper = await connect("eavesdropper", claimId);
  eavesdropper.subscribe("$aws/certificates/#");
  const answer = await ask("$aws/certificates/create/json", {});
  await clock.settle();
  expect(answer["privateKey"]).toContain("PRIVATE KEY");
  expect(eavesdropper.messages).toEqual([]);
});

test("what is not provisioned within the hour is deleted, over a restart too", async () => {
  const rig = await claimant();
  const { certificateId = "", certificateOwnershipToken } = await rig.certify();
  rig.restart();
  await rig.clock.runUntil(rig.clock.now() + HOUR - 1);
  expect(rig.parts.iot.certificates.certificates.get(certificateId)).toBeDefined();
  await rig.clock.runUntil(rig.clock.now() + 1);
  expect(rig.parts.iot.certificates.certificates.get(certificateId)).toBeUndefined();
  expect(certificateOwnershipToken).toBeDefined();
});

test("a refusal says why for a missing parameter, an unknown template, a bad request; the hook's says nothing", async () => {
  const { certify, provision, ask, parts } = await claimant(({ parameters }) => ({
    allowProvisioning: parameters["SerialNumber"] !== "stolen",
    parameterOverrides: { Site: "south" },
  }));
  const denied = await certify();
  expect(await provision(denied["certificateOwnershipToken"], { SerialNumber: "stolen" })).toMatchObject({
    ending: "rejected",
    statusCode: 403,
    errorCode: "AccessDenied",
    errorMessage: "Access Denied",
  });
  expect(parts.iot.certificates.certificates.get(denied["certificateId"] ?? "")).toBeUndefined();
  const missing = await certify();
  expect(await provision(missing["certificateOwnershipToken"], {})).toMatchObject({
    errorMessage: expect.stringContaining("SerialNumber"),
  });
  const allowed = await certify();
  await provision(allowed["certificateOwnershipToken"], { SerialNumber: "8" });
  expect(parts.iot.things.thing("core-8").attributes).toEqual({ site: "south" });
  const unknown = await certify();
  expect(
    await ask("$aws/provisioning-templates/other/provision/json", {
      certificateOwnershipToken: unknown["certificateOwnershipToken"],
      parameters: {},
    }),
  ).toMatchObject({ ending: "rejected", statusCode: 404 });
  expect(
    await ask("$aws/certificates/create-from-csr/json", { certificateSigningRequest: "x" }),
  ).toMatchObject({
    ending: "rejected",
    statusCode: 400,
  });
});

test("a hook that throws, answers nonsense, or takes more than five seconds refuses", async () => {
  const hooks: (() => unknown)[] = [
    () => {
      throw new Error("broken");
    },
    () => ({ allowed: true }),
    () => new Promise(() => undefined),
  ];
  for (const hook of hooks) {
    const { certify, provision, clock, parts } = await claimant(hook);
    const { certificateId = "", certificateOwnershipToken } = await certify();
    await provision(certificateOwnershipToken);
    await clock.runUntil(clock.now() + 5000);
    // What a template has refused is deleted.
    expect(parts.iot.certificates.certificates.get(certificateId)).toBeUndefined();
  }
});

test("a claim that is asked for opens provisioning for five minutes, and is gone then, over a restart too", async () => {
  const rig = await claimant();
  await expect(rig.call("CreateProvisioningClaim", { templateName: "other" })).rejects.toThrow(
    /does not exist/,
  );
  const { certificateId, certificatePem, expiration } = await rig.call("CreateProvisioningClaim", {
    templateName: "commission",
  });
  expect(expiration.getTime()).toBe(rig.clock.now() + 300_000);
  expect(new X509Certificate(certificatePem).validToDate).toEqual(expiration);
  const client = await rig.connect("some-device", certificateId);
  client.subscribe("$aws/certificates/create-from-csr/json/accepted");
  await rig.clock.settle();
  client.publish(
    "$aws/certificates/create-from-csr/json",
    JSON.stringify({ certificateSigningRequest: signingRequest() }),
  );
  client.publish("elsewhere", "{}");
  await rig.clock.settle();
  expect(client.messages.map(({ topic }) => topic)).toEqual([
    "$aws/certificates/create-from-csr/json/accepted",
  ]);
  rig.restart();
  await rig.clock.runUntil(rig.clock.now() + 299_999);
  expect(rig.parts.iot.certificates.isActive(certificateId)).toBe(true);
  await rig.clock.runUntil(rig.clock.now() + 1);
  expect(rig.parts.iot.certificates.certificates.get(certificateId)).toBeUndefined();
});

test("a device's certificate becomes credentials of the role, for as long as the alias says on the cloud's clock", async () => {
  const { device, parts, call, clock, restart } = await iotRig();
  const certificateId = await device("core", {
    Statement: [
      {
        Effect: "Allow",
        Action: "iot:AssumeRoleWithCertificate",
        Resource: "arn:aws:iot:us-east-1:123456789012:rolealias/tes",
      },
    ],
  });
  const roleArn = "arn:aws:iam::123456789012:role/tes";
  await call("CreateRoleAlias", { roleAlias: "tes", roleArn, credentialDurationSeconds: 900 });
  await call("CreateRoleAlias", { roleAlias: "other", roleArn });
  const ask = (path: string, thingName?: string) => {
    const answer = parts.credentials.handle(
      { method: "GET", path, headers: { "x-amzn-iot-thingname": thingName } },
      { certificateId, thingName: "core" },
    );
    return {
      status: answer.status,
      ...(JSON.parse(answer.body) as { message?: string; credentials?: Record<string, string> }),
    };
  };
  const { status, credentials } = ask("/role-aliases/tes/credentials", "core");
  expect(status).toBe(200);
  expect(credentials?.["expiration"]).toBe(new Date(clock.now() + 900_000).toISOString().replace(".000", ""));
  const known = () => parts.resolveCredentials(credentials?.["accessKeyId"] ?? "");
  expect(known()).toMatchObject({
    secretAccessKey: credentials?.["secretAccessKey"],
    sessionToken: credentials?.["sessionToken"],
    caller: { identity: { kind: "role", roleArn, thingName: "core" } },
    expiresAt: clock.now() + 900_000,
  });
  restart();
  expect(known()).toBeDefined();
  expect(ask("/role-aliases/tes/credentials", "somebody").status).toBe(403);
  expect(ask("/role-aliases/other/credentials", "core")).toMatchObject({
    status: 403,
    message: "Access Denied",
  });
  expect(ask("/role-aliases/none/credentials", "core").status).toBe(404);
  await call("UpdateCertificate", { certificateId, newStatus: "INACTIVE" });
  expect(ask("/role-aliases/tes/credentials", "core").status).toBe(403);
});
