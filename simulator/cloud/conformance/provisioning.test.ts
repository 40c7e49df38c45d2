/**
 * A nucleus takes its identity by a claim: with keys that the cloud makes, and by a request for a key of its own.
 * Plays of the facts: 7 whole, by the topics themselves, and the claim's policy that it names. The IoT Device SDK's own
 * identity client does the same in `device-door/device-door.test.ts`.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateProvisioningTemplateCommand,
  CreateThingGroupCommand,
  DescribeCertificateCommand,
  ListThingGroupsForThingCommand,
  ListThingPrincipalsCommand,
} from "@aws-sdk/client-iot";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceCloud, iotArn } from "./conformance-cloud.ts";
import { nucleusFilters } from "./nucleus-words.ts";
import type { ScriptedNucleus } from "./scripted-nucleus.ts";

const CREATE = "$aws/certificates/create/json";
const FROM_CSR = "$aws/certificates/create-from-csr/json";
const PROVISION = "$aws/provisioning-templates/fleet/provision/json";
const claimTopics = ["$aws/certificates/create*", "$aws/provisioning-templates/fleet/provision/*"];

let cloud: ConformanceCloud;
let claimKeys: { certificatePem: string; privateKeyPem: string };
let claims = 0;

beforeAll(async () => {
  cloud = await ConformanceCloud.start();
  const { iot } = cloud;
  await iot.send(new CreateThingGroupCommand({ thingGroupName: "fleet" }));
  const resource = (kind: string): string[] => claimTopics.map((topic) => `${iotArn}:${kind}/${topic}`);
  const claimPolicy = {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Connect", Resource: "*" },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: resource("topic") },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: resource("topicfilter") },
    ],
  };
  await iot.send(
    new CreatePolicyCommand({ policyName: "claim", policyDocument: JSON.stringify(claimPolicy) }),
  );
  const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new AttachPolicyCommand({ policyName: "claim", target: made.certificateArn }));
  claimKeys = {
    certificatePem: made.certificatePem ?? "",
    privateKeyPem: made.keyPair?.PrivateKey ?? "",
  };
  const templateBody = {
    Parameters: { Serial: { Type: "String" } },
    Resources: {
      thing: {
        Type: "AWS::IoT::Thing",
        Properties: { ThingName: { "Fn::Join": ["", ["core-", { Ref: "Serial" }]] }, ThingGroups: ["fleet"] },
      },
      certificate: { Type: "AWS::IoT::Certificate", Properties: { Status: "ACTIVE" } },
      policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "core" } },
    },
  };
  await iot.send(
    new CreateProvisioningTemplateCommand({
      templateName: "fleet",
      enabled: true,
      provisioningRoleArn: "arn:aws:iam::123456789012:role/provisioning",
      templateBody: JSON.stringify(templateBody),
    }),
  );
});
afterAll(() => cloud.close());

/** Connected with the claim, and subscribed to both answers of each request before it is sent. */
async function claim(): Promise<ScriptedNucleus> {
  const device = cloud.nucleus(`claim-${++claims}`, claimKeys);
  await device.start();
  const answers = [CREATE, FROM_CSR, PROVISION].flatMap((topic) => [
    `${topic}/accepted`,
    `${topic}/rejected`,
  ]);
  expect(await device.subscribe(...answers)).toEqual([1, 1, 1, 1, 1, 1]);
  return device;
}

/** As itself from here on: it connects, subscribes, and learns its groups with its new certificate. */
async function live(thingName: string, keys: typeof claimKeys): Promise<void> {
  const core = cloud.nucleus(thingName, keys);
  await core.start();
  expect(await core.subscribe(...nucleusFilters(thingName))).toEqual([1, 1, 1, 1, 1, 1]);
  const groups = await core.dataPlane("GET", `/greengrass/v2/coreDevices/${thingName}/thingGroups`);
  expect(groups.body.thingGroups).toMatchObject([{ thingGroupName: "fleet" }]);
  await core.stop();
}

test("with keys of the cloud: the certificate counts only when a template has made it a thing's", async () => {
  const device = await claim();
  await device.publish(CREATE, {});
  const made = await device.next(`${CREATE}/accepted`);
  expect(Object.keys(made).sort()).toEqual([
    "certificateId",
    "certificateOwnershipToken",
    "certificatePem",
    "privateKey",
  ]);
  const { certificateId } = made;
  const status = async (): Promise<string | undefined> =>
    (await cloud.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status;
  expect(await status()).toBe("PENDING_ACTIVATION");
  const keys = { certificatePem: made.certificatePem, privateKeyPem: made.privateKey };
  const early = cloud.nucleus("core-1", keys);
  await expect(early.start()).rejects.toBeDefined();
  await early.stop();

  const { certificateOwnershipToken } = made;
  await device.publish(PROVISION, { certificateOwnershipToken, parameters: { Serial: "1" } });
  expect(await device.next(`${PROVISION}/accepted`)).toEqual({
    deviceConfiguration: {},
    thingName: "core-1",
  });
  expect(await status()).toBe("ACTIVE");
  const thingName = "core-1";
  const { principals } = await cloud.iot.send(new ListThingPrincipalsCommand({ thingName }));
  expect(principals).toEqual([`${iotArn}:cert/${certificateId}`]);
  const { thingGroups } = await cloud.iot.send(new ListThingGroupsForThingCommand({ thingName }));
  expect(thingGroups?.map(({ groupName }) => groupName)).toEqual(["fleet"]);
  await live(thingName, keys);

  // The token is used up.
  await device.publish(PROVISION, { certificateOwnershipToken, parameters: { Serial: "2" } });
  expect(await device.next(`${PROVISION}/rejected`)).toEqual({
    statusCode: 400,
    errorCode: "InvalidCertificateOwnershipToken",
    errorMessage: expect.any(String),
  });
  await device.stop();
});

test("with a key of its own: the cloud signs the request, and the key stays where it is", async () => {
  const device = await claim();
  const { privateKey: privateKeyPem, request: certificateSigningRequest } = newSigningRequest("core-own");
  await device.publish(FROM_CSR, { certificateSigningRequest });
  const made = await device.next(`${FROM_CSR}/accepted`);
  expect(Object.keys(made).sort()).toEqual(["certificateId", "certificateOwnershipToken", "certificatePem"]);
  const certificate = new X509Certificate(made.certificatePem);
  expect(certificate.checkPrivateKey(createPrivateKey(privateKeyPem))).toBe(true);
  expect(certificate.verify(new X509Certificate(cloud.caPem).publicKey)).toBe(true);
  const { certificateOwnershipToken } = made;
  await device.publish(PROVISION, { certificateOwnershipToken, parameters: { Serial: "own" } });
  expect(await device.next(`${PROVISION}/accepted`)).toMatchObject({ thingName: "core-own" });
  await live("core-own", { certificatePem: made.certificatePem, privateKeyPem });

  await device.publish(FROM_CSR, {
    certificateSigningRequest: certificateSigningRequest.replace(/.{8}\n-----END/, "\n-----END"),
  });
  expect(await device.next(`${FROM_CSR}/rejected`)).toMatchObject({ statusCode: 400 });
  await device.stop();
});

test("what is missing or unreadable is rejected, answers go to who asked, and a claim may do nothing else", async () => {
  const [device, other] = [await claim(), await claim()];
  await device.publish(CREATE, "no JSON");
  expect(await device.next(`${CREATE}/rejected`)).toMatchObject({
    statusCode: 400,
    errorCode: "InvalidJson",
  });
  await device.publish(PROVISION, "no JSON");
  expect(await device.next(`${PROVISION}/rejected`)).toMatchObject({
    statusCode: 400,
    errorCode: "InvalidJson",
  });
  await device.publish(CREATE, {});
  const { certificateOwnershipToken } = await device.next(`${CREATE}/accepted`);
  await device.publish(PROVISION, { certificateOwnershipToken, parameters: {} });
  expect(await device.next(`${PROVISION}/rejected`)).toMatchObject({
    statusCode: 400,
    errorMessage: expect.stringContaining("Serial"),
  });
  expect(other.untaken).toEqual([]);
  expect(await device.subscribe("$aws/things/core-1/jobs/notify")).toEqual([0x87]);
  expect(await device.publish("$aws/things/core-1/shadow/update", { state: {} })).toBe(0x87);
  expect((await device.dataPlane("GET", "/greengrass/v2/coreDevices/core-1/thingGroups")).status).toBe(403);
  await device.stop();
  await other.stop();
});
