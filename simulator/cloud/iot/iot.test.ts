import { expect, test } from "vitest";
import { iotRig } from "./iot-rig.ts";

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => "done",
    (failure: { code?: string }) => failure.code,
  );

test("things, groups and membership, and the events that tell it", async () => {
  const { call, told } = await iotRig();
  await call("CreateThingGroup", { thingGroupName: "fleet" });
  await call("CreateThingGroup", {
    thingGroupName: "canary",
    parentGroupName: "fleet",
    thingGroupProperties: { attributePayload: { attributes: { wave: "0" } } },
  });
  for (const thingName of ["t1", "t2", "t3"]) await call("CreateThing", { thingName });
  await call("AddThingToThingGroup", { thingName: "t1", thingGroupName: "canary" });
  await call("AddThingToThingGroup", {
    thingArn: "arn:aws:iot:us-east-1:123456789012:thing/t2",
    thingGroupArn: "arn:aws:iot:us-east-1:123456789012:thinggroup/fleet",
  });
  await call("AddThingToThingGroup", { thingName: "t2", thingGroupName: "fleet" });
  expect((await call("ListThingsInThingGroup", { thingGroupName: "fleet" })).things).toEqual(["t2"]);
  expect((await call("ListThingsInThingGroup", { thingGroupName: "fleet", recursive: true })).things).toEqual(
    ["t1", "t2"],
  );
  expect((await call("ListThingGroupsForThing", { thingName: "t1" })).thingGroups).toEqual([
    { groupName: "canary", groupArn: "arn:aws:iot:us-east-1:123456789012:thinggroup/canary" },
  ]);
  const group = await call("DescribeThingGroup", { thingGroupName: "canary" });
  expect(group.thingGroupMetadata.rootToParentThingGroups).toMatchObject([{ groupName: "fleet" }]);
  expect(group.thingGroupProperties.attributePayload.attributes).toEqual({ wave: "0" });
  await call("RemoveThingFromThingGroup", { thingName: "t2", thingGroupName: "fleet" });
  expect(
    told.flatMap((event) => (event.kind === "group-membership" ? [[event.thingName, event.member]] : [])),
  ).toEqual([
    ["t1", true],
    ["t2", true],
    ["t2", false],
  ]);
  expect(await code(call("AddThingToThingGroup", { thingName: "nobody", thingGroupName: "fleet" }))).toBe(
    "ResourceNotFoundException",
  );
});

test("creating again alike is no error, creating otherwise is", async () => {
  const { call } = await iotRig();
  const first = await call("CreateThing", { thingName: "t", attributePayload: { attributes: { a: "1" } } });
  expect(await call("CreateThing", { thingName: "t", attributePayload: { attributes: { a: "1" } } })).toEqual(
    first,
  );
  expect(await code(call("CreateThing", { thingName: "t" }))).toBe("ResourceAlreadyExistsException");
  expect(await code(call("CreateThing", { thingName: "not a name" }))).toBe("InvalidRequestException");
  await call("UpdateThing", { thingName: "t", attributePayload: { attributes: { b: "2" }, merge: true } });
  expect(await call("DescribeThing", { thingName: "t" })).toMatchObject({
    version: 2,
    attributes: { a: "1", b: "2" },
  });
});

test("lists come in pages that add up", async () => {
  const { call } = await iotRig();
  for (let index = 0; index < 7; index++) await call("CreateThing", { thingName: `t${index}` });
  const seen: string[] = [];
  let nextToken: string | undefined;
  do {
    const answer = await call("ListThings", { maxResults: 3, nextToken });
    seen.push(...answer.things.map(({ thingName }: { thingName: string }) => thingName));
    ({ nextToken } = answer);
  } while (nextToken !== undefined);
  expect(seen).toEqual(["t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
});

test("certificates: from keys, from a request, registered, attached, deactivated", async () => {
  const { call, authority } = await iotRig();
  const made = await call("CreateKeysAndCertificate", { setAsActive: true });
  expect(made.keyPair.PrivateKey).toContain("PRIVATE KEY");
  expect(
    (await call("DescribeCertificate", { certificateId: made.certificateId })).certificateDescription,
  ).toMatchObject({
    status: "ACTIVE",
    certificatePem: made.certificatePem,
  });
  const foreign = authority.keysAndCertificate();
  const registered = await call("RegisterCertificateWithoutCA", {
    certificatePem: foreign.certificatePem,
    status: "ACTIVE",
  });
  expect(await code(call("RegisterCertificateWithoutCA", { certificatePem: foreign.certificatePem }))).toBe(
    "ResourceAlreadyExistsException",
  );
  await call("CreateThing", { thingName: "t" });
  await call("AttachThingPrincipal", { thingName: "t", principal: registered.certificateArn });
  expect((await call("ListThingPrincipals", { thingName: "t" })).principals).toEqual([
    registered.certificateArn,
  ]);
  expect(await code(call("DeleteThing", { thingName: "t" }))).toBe("InvalidRequestException");
  await call("UpdateCertificate", { certificateId: registered.certificateId, newStatus: "REVOKED" });
  expect(
    await code(call("UpdateCertificate", { certificateId: registered.certificateId, newStatus: "ACTIVE" })),
  ).toBe("CertificateStateException");
  expect(await code(call("CreateCertificateFromCsr", { certificateSigningRequest: "no request" }))).toBe(
    "InvalidRequestException",
  );
});

test("policies have versions, and one that is attached is not deleted", async () => {
  const { call } = await iotRig();
  const allow = (resource: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "iot:*", Resource: resource }],
    });
  await call("CreatePolicy", { policyName: "p", policyDocument: allow("a") });
  await call("CreatePolicyVersion", { policyName: "p", policyDocument: allow("b"), setAsDefault: true });
  expect((await call("GetPolicy", { policyName: "p" })).policyDocument).toBe(allow("b"));
  const { certificateArn } = await call("CreateKeysAndCertificate", { setAsActive: true });
  await call("AttachPolicy", { policyName: "p", target: certificateArn });
  expect((await call("ListAttachedPolicies", { target: certificateArn })).policies).toMatchObject([
    { policyName: "p" },
  ]);
  expect((await call("ListTargetsForPolicy", { policyName: "p" })).targets).toEqual([certificateArn]);
  expect(await code(call("DeletePolicy", { policyName: "p" }))).toBe("DeleteConflictException");
  for (let version = 0; version < 3; version++)
    await call("CreatePolicyVersion", { policyName: "p", policyDocument: allow("c") });
  expect(await code(call("CreatePolicyVersion", { policyName: "p", policyDocument: allow("d") }))).toBe(
    "VersionsLimitExceededException",
  );
});

test("policies are enforced on connect, publish, subscribe, receive and retain, and a change counts at once", async () => {
  const { device, connect, clock, parts, call } = await iotRig();
  const arn = "arn:aws:iot:us-east-1:123456789012:";
  const certificateId = await device("core-1", {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Connect", Resource: `${arn}client/\${iot:Connection.Thing.ThingName}` },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: `${arn}topic/\${iot:ClientId}/*` },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: `${arn}topicfilter/*` },
      { Effect: "Deny", Action: "iot:Publish", Resource: `${arn}topic/core-1/secret` },
    ],
  });
  const other = await connect("core-2", certificateId);
  expect(other.received[0]).toMatchObject({ cmd: "connack", reasonCode: 0x87 });
  const client = await connect("core-1", certificateId, "core-1");
  client.subscribe("#");
  client.publish("core-1/open", "own");
  client.publish("core-1/secret", "denied");
  client.publish("core-2/open", "not its own");
  client.publish("core-1/kept", "no right to retain", { retain: true });
  await clock.settle();
  parts.broker.publish("core-2/heard", "not to be received");
  parts.broker.publish("core-1/heard", "to be received");
  await clock.settle();
  expect(client.payloads).toEqual(["own", "to be received"]);
  expect(
    client.received
      .flatMap((packet) => (packet.cmd === "puback" ? [packet.reasonCode ?? 0] : []))
      .sort((one, other) => one - other),
  ).toEqual([0, 0x87, 0x87, 0x87]);
  await call("DetachPolicy", {
    policyName: "policy-core-1",
    target: `arn:aws:iot:us-east-1:123456789012:cert/${certificateId}`,
  });
  client.publish("core-1/open", "no longer");
  await clock.settle();
  expect(client.received.at(-1)).toMatchObject({ cmd: "puback", reasonCode: 0x87 });
});

type Rig = Awaited<ReturnType<typeof iotRig>>;
const none = JSON.stringify({ Statement: [{ Effect: "Deny", Action: "iot:Publish", Resource: "*" }] });
/** What a policy may rest on; after each change what it allowed must be denied. */
const changes: readonly (readonly [string, (rig: Rig, certificateId: string) => void])[] = [
  ["a new default version", ({ parts }) => void parts.iot.policies.createVersion("policy-core", none, true)],
  [
    "another version made the default",
    ({ parts }) =>
      parts.iot.policies.setDefault(
        "policy-core",
        parts.iot.policies.createVersion("policy-core", none, false),
      ),
  ],
  [
    "a policy detached",
    ({ parts }, id) => void parts.iot.policies.attached.delete("policy-core", `cert/${id}`),
  ],
  [
    "a denying policy attached",
    ({ parts }, id) => void parts.iot.policies.attached.add("deny", `cert/${id}`),
  ],
  ["a thing put into a group that is denied", ({ parts }) => parts.iot.things.addToGroup("core", "denied")],
  [
    "an attribute changed",
    ({ parts }) => parts.iot.things.updateThing("core", { attributes: { site: "b" } }),
  ],
  [
    "a certificate detached from its thing",
    ({ parts }, id) => void parts.iot.things.principals.delete("core", id),
  ],
  ["a certificate deactivated", ({ parts }, id) => parts.iot.certificates.setStatus(id, "INACTIVE")],
  ["a certificate revoked", ({ parts }, id) => parts.iot.certificates.setStatus(id, "REVOKED")],
];

test.each(changes)("what was decided is thought through anew after %s", async (_what, change) => {
  const rig = await iotRig();
  const { parts } = rig;
  const certificateId = await rig.device("core", {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "iot:Publish",
        Resource: "arn:aws:iot:us-east-1:123456789012:topic/${iot:Connection.Thing.Attributes[site]}/x",
      },
    ],
  });
  parts.iot.things.updateThing("core", { attributes: { site: "a" } });
  parts.iot.things.groups.create("denied");
  parts.iot.policies.create("deny", none);
  parts.iot.policies.attached.add("deny", "thinggroup/denied");
  const may = (): boolean =>
    parts.iot.permissions.mqtt({ certificateId, kind: "in-process" }, "core", "publish", "a/x");
  expect([may(), may()]).toEqual([true, true]);
  change(rig, certificateId);
  expect(may()).toBe(false);
});

test("a policy of the thing's group counts, and of a group above", async () => {
  const { call, device, connect, parts } = await iotRig();
  const certificateId = await device("grouped", {
    Statement: [{ Effect: "Deny", Action: "none:None", Resource: "*" }],
  });
  expect((await connect("grouped", certificateId)).received[0]).toMatchObject({ reasonCode: 0x87 });
  parts.iot.things.groups.create("fleet");
  parts.iot.things.groups.create("line", "fleet");
  parts.iot.things.addToGroup("grouped", "line");
  parts.iot.policies.attached.add("policy-other", "thinggroup/fleet");
  parts.iot.policies.create(
    "policy-other",
    JSON.stringify({ Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: "*" }] }),
  );
  expect((await connect("grouped", certificateId)).received[0]).toMatchObject({ reasonCode: 0 });
  const effective = async (input: object): Promise<string[]> =>
    (await call("GetEffectivePolicies", input)).effectivePolicies.map(
      ({ policyName }: { policyName: string }) => policyName,
    );
  const principal = `arn:aws:iot:us-east-1:123456789012:cert/${certificateId}`;
  expect(await effective({ thingName: "grouped", principal })).toEqual(["policy-grouped", "policy-other"]);
  expect(await effective({ thingName: "grouped" })).toEqual(["policy-other"]);
  expect(await effective({ principal })).toEqual(["policy-grouped"]);
  await expect(effective({ thingName: "nobody" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});

test("deactivating a certificate cuts its live session", async () => {
  const { device, connect, call, clock } = await iotRig();
  const certificateId = await device("core");
  const client = await connect("core", certificateId);
  await call("UpdateCertificate", { certificateId, newStatus: "INACTIVE" });
  await clock.settle();
  expect(client.closed).toBe(true);
  expect((await connect("core", certificateId)).received[0]).toMatchObject({
    cmd: "connack",
    reasonCode: 0x87,
  });
});

test("endpoints are told by their kind", async () => {
  const { call } = await iotRig();
  expect(await call("DescribeEndpoint", { endpointType: "iot:Data-ATS" })).toEqual({
    endpointAddress: "localhost",
  });
  expect(await call("DescribeEndpoint", { endpointType: "iot:CredentialProvider" })).toEqual({
    endpointAddress: "localhost:1",
  });
  expect(await code(call("DescribeEndpoint", { endpointType: "iot:Other" }))).toBe("InvalidRequestException");
});

test("a thing type is deprecated, and deleted five minutes later when no thing has it", async () => {
  const { call, clock } = await iotRig();
  for (const thingTypeName of ["press", "pump"]) await call("CreateThingType", { thingTypeName });
  await call("CreateThing", { thingName: "t", thingTypeName: "press" });
  await call("DeprecateThingType", { thingTypeName: "press" });
  expect((await call("ListThingTypes")).thingTypes).toMatchObject([
    { thingTypeName: "press", thingTypeMetadata: { deprecated: true, deprecationDate: expect.any(Date) } },
    { thingTypeName: "pump", thingTypeMetadata: { deprecated: false } },
  ]);
  const taken = { thingName: "u", thingTypeName: "press" };
  expect(await code(call("CreateThing", taken))).toBe("InvalidRequestException");
  expect(await code(call("UpdateThing", { thingName: "t", thingTypeName: "none" }))).toBe(
    "ResourceNotFoundException",
  );
  expect(await code(call("DeleteThingType", { thingTypeName: "press" }))).toBe("InvalidRequestException");
  await clock.runUntil(clock.now() + 5 * 60_000);
  expect(await code(call("DeleteThingType", { thingTypeName: "press" }))).toBe("InvalidRequestException");
  await call("DeprecateThingType", { thingTypeName: "press", undoDeprecate: true });
  await call("CreateThing", taken);
  await call("DeprecateThingType", { thingTypeName: "press" });
  for (const thingName of ["t", "u"]) await call("DeleteThing", { thingName });
  await clock.runUntil(clock.now() + 5 * 60_000);
  await call("DeleteThingType", { thingTypeName: "press" });
  expect((await call("ListThingTypes")).thingTypes).toMatchObject([{ thingTypeName: "pump" }]);
});
