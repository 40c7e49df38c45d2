import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DescribeEventConfigurationsCommand,
} from "@aws-sdk/client-iot";
import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeClaimCloud, ensureCommissioningTable, openClaimCloud } from "../api/claims/claim-cloud.ts";
import { answers } from "../cli/answers/answers.ts";
import { addAuditCommands } from "../cli/audit/commands.ts";
import { type Ran, runCommand } from "../cli/command.fixture.ts";
import { addDeviceCommands } from "../cli/device/commands.ts";
import { type HealthyAccount, startHealthyAccount } from "../cli/doctor/account.fixture.ts";
import { addDoctorCommand } from "../cli/doctor/commands.ts";
import { addFleetCommands } from "../cli/fleet/commands.ts";
import { places } from "../cli/system/state.ts";
import { names } from "../infra/identity/identity.ts";
import type { PeoplePolicy } from "../infra/rollout/command-may.ts";
import { runningRevision } from "../pipeline/controller/fleet.ts";
import { closeRegion, openRegion, type Region } from "../pipeline/controller/region.ts";
import { RolloutLog } from "../pipeline/controller/rollout-log.ts";
import { EvidenceStore } from "../pipeline/evidence/evidence-store.ts";
import { tinyBuild } from "../pipeline/publish/tiny-build.fixture.ts";
import { signBuild } from "../pipeline/supply/sign-build.ts";
import { publicHalf } from "../pipeline/supply/signing-key.ts";
import { envelopeFile } from "../pipeline/supply/statement.ts";
import type { Target } from "../pipeline/target.ts";
import { enforceRights, type EnforcedRights } from "./enforced-rights.ts";
import { peopleRights } from "./people-rights.ts";

/** What brings an account to its first devices, by people with the synthesized policies, in a cloud that enforces them. */

const root = dirname(import.meta.dirname);
const environment = { ...process.env };
const folder = mkdtempSync(join(tmpdir(), "coalmine-install-"));
const at = places(root, { COALMINE_STATE: folder });
const commit = "4444444ddddd";
const NAME = "coalmine.StreamUploader";
let rig: HealthyAccount;
let cloud: EnforcedRights;
let rightsOf: ReturnType<typeof peopleRights>;
/** Beside the fleet that the account has, one on which nothing runs. */
let fresh: Target;
let region: Region;

beforeAll(async () => {
  rig = await startHealthyAccount();
  const { target } = rig.account;
  fresh = { ...target, name: "fresh", mainGroup: "coalmine-new", canaryGroup: "coalmine-new-canary" };
  cloud = enforceRights(rig.fleet.cloud.cloud);
  rightsOf = peopleRights([target, fresh]);
  region = openRegion(fresh, "123456789012");
  const claims = openClaimCloud(rig.fleet.cloud.client, {
    clock: systemClock,
    log: silentLog,
    template: names.provisioningTemplate,
    bucket: target.artifactBucket,
  });
  await ensureCommissioningTable(claims);
  closeClaimCloud(claims);
}, 120_000);
afterAll(async () => {
  closeRegion(region);
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
  process.env = environment;
});

interface Person {
  readonly name: string;
  readonly policies: readonly PeoplePolicy[];
}

async function signedIn({ name, policies }: Person, target: Target): Promise<Record<string, string>> {
  return {
    ...(await cloud.signIn(name, rightsOf(...policies))),
    COALMINE_TARGETS: JSON.stringify([target]),
    COALMINE_ACCOUNT: "123456789012",
  };
}

async function as(person: Person, target: Target, ...words: string[]): Promise<Ran> {
  const own = await signedIn(person, target);
  return runCommand(
    (program) => {
      Object.assign(process.env, own);
      addFleetCommands(program, at);
      addDeviceCommands(program, at);
      addDoctorCommand(program, at);
      addAuditCommands(program, at);
    },
    ...words,
  );
}

/** Of what some policy allows, what this person had no use for. */
function unused({ name }: Person, policy: PeoplePolicy): Set<string> {
  const done = cloud.done(name);
  return new Set(rightsOf(policy).flatMap(({ actions }) => actions.filter((action) => !done.has(action))));
}

test("doctor examines an account with the policy for it", async () => {
  const doctor: Person = { name: "dora@example.com", policies: ["doctors"] };
  const { out } = await as(doctor, rig.account.target, "doctor", "--aws", "--json");
  const { findings } = answers.doctor.parse(JSON.parse(out));
  const loud = findings.filter(({ state, check }) => state !== "ok" && check !== "clock of this machine");
  expect(loud).toEqual([]);
  // Of a quota that the account has no value of its own for.
  expect(unused(doctor, "doctors")).toEqual(new Set(["servicequotas:GetAWSDefaultServiceQuota"]));
});

test("devices are claimed and taken out with the policy for it, and not without", async () => {
  const cora: Person = { name: "cora@example.com", policies: ["viewers", "commissioners"] };
  const otto: Person = { name: "otto@example.com", policies: ["viewers", "operators"] };
  const { target } = rig.account;
  const claim = ["device", "claim", "--site", "ward-7", "--serial", "core-9"];
  expect(await as(otto, target, ...claim)).toMatchObject({
    code: 6,
    err: expect.stringContaining("CoalmineCommissioners"),
  });
  expect(await as(cora, target, ...claim, "--fleet", "elsewhere")).toMatchObject({
    code: 7,
    err: expect.stringContaining('there is no fleet "elsewhere"; take one of fleet'),
  });
  expect(await as(cora, target, ...claim)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/for core-9/),
  });
  await commissioned("core-8");
  const swapped = await as(cora, target, "device", "swap", "core-8", "--reason", "its fan is broken");
  expect(swapped).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/cora@example\.com/) });
  expect(unused(cora, "commissioners")).toEqual(new Set());
});

/** A device as the provisioning template makes one. */
async function commissioned(thingName: string): Promise<void> {
  const { iot } = region;
  await iot.send(new CreateThingCommand({ thingName }));
  const { certificateArn: principal = "" } = await iot.send(
    new CreateKeysAndCertificateCommand({ setAsActive: true }),
  );
  await iot.send(new AttachPolicyCommand({ policyName: names.devicePolicy, target: principal }));
  await iot.send(new AttachThingPrincipalCommand({ thingName, principal }));
  for (const thingGroupName of [names.fleetGroup, names.mainGroup])
    await iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName }));
}

/** The stage as a person runs it, in a checkout whose build is a few bytes; the cloud's time goes on meanwhile. */
async function publishAs(person: Person, checkout: string): Promise<string> {
  const env = { ...process.env, ...(await signedIn(person, fresh)), COALMINE_COMMIT: commit };
  let isOver = false;
  const words = [join(root, "pipeline/stages/main.ts"), "publish"];
  const ran = promisify(execFile)(process.execPath, words, { cwd: checkout, env }).then(
    ({ stdout }) => {
      isOver = true;
      return stdout;
    },
    (failure: unknown) => {
      isOver = true;
      return String(failure);
    },
  );
  while (!isOver) {
    await rig.fleet.wait(200);
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  return ran;
}

test("a first release is published and installed by one person's policy: refused with what to do until all is there, then once", async () => {
  const ines: Person = { name: "ines@example.com", policies: ["installers"] };
  const keys = ["a test", "somebody"].map((who) => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const file = join(folder, `${who.replace(" ", "-")}.json`);
    writeFileSync(
      file,
      JSON.stringify({ version: 1, signers: [{ who, publicKey: publicHalf(privateKey) }] }),
    );
    return { privateKey, file };
  });
  const [trusted, other] = keys;
  if (trusted === undefined || other === undefined) throw new Error("two keys were made");
  const checkout = join(folder, "checkout");
  const dist = join(checkout, "dist");
  mkdirSync(join(checkout, "pipeline"), { recursive: true });
  copyFileSync(join(root, "pipeline/policy.yaml"), join(checkout, "pipeline/policy.yaml"));
  await tinyBuild(root, dist, [NAME]);
  signBuild(dist, join(folder, "signed"), trusted.privateKey);
  const envelope = envelopeFile(NAME, "1.0.0");
  copyFileSync(join(folder, "signed", basename(envelope)), join(dist, envelope));

  const install = (...more: string[]): Promise<Ran> =>
    as(ines, fresh, "fleet", "install", "--commit", commit, ...more);
  const signed = ["--signers", trusted.file];
  const refused = async (sentence: RegExp, ...more: string[]): Promise<void> => {
    expect(await install(...more)).toMatchObject({ code: 7, err: expect.stringMatching(sentence) });
    expect(await runningRevision(region, fresh.mainGroup)).toBeUndefined();
  };
  await refused(/say whose signature the release needs: --signers signers\.json/);
  await refused(
    /there is no table coalmine-evidence in us-east-1, no table coalmine-rollouts in us-east-1, no thing group coalmine-new in us-east-1, no thing group coalmine-new-canary.*deploy the stacks first/,
    ...signed,
  );
  for (const thingGroupName of [fresh.mainGroup, fresh.canaryGroup])
    await region.iot.send(new CreateThingGroupCommand({ thingGroupName }));
  await new EvidenceStore(region.dynamodb, fresh.name).ensure(systemClock);
  await new RolloutLog(region.dynamodb, systemClock).ensure();
  await refused(/no release of commit 4444444ddddd is published in .*publish it with/, ...signed);
  expect(await publishAs(ines, checkout)).toMatch(/release 4444444ddddd is published in us-east-1/);
  expect(await publishAs(ines, checkout)).toMatch(/us-east-1: had everything/);
  await refused(/StreamUploader 1\.0\.0/, "--signers", other.file);
  const file = join(folder, "first.json");
  const configured = (text: string): string[] => {
    writeFileSync(file, text);
    return [...signed, "--configuration", file];
  };
  await refused(/is for "ward", and the targets are fresh/, ...configured('{"ward":{}}'));
  await refused(/is for coalmine\.Other, which/, ...configured('{"fresh":{"coalmine.Other":{}}}'));
  expect(await install(...configured("[]"))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/is no configuration; it looks like/),
  });

  const isOn = async (): Promise<boolean | undefined> =>
    (await region.iot.send(new DescribeEventConfigurationsCommand({}))).eventConfigurations?.JOB_EXECUTION
      ?.Enabled;
  await rig.fleet.cloud.cloud.invoke("iot", "UpdateEventConfigurations", {
    eventConfigurations: { JOB_EXECUTION: { Enabled: false }, THING: { Enabled: true } },
  });
  const wish = configured(`{"fresh":{"${NAME}":{"flushIntervalSeconds":60}}}`);
  const first = answers["fleet-install"].parse(JSON.parse((await install(...wish, "--json")).out));
  expect(first.installed.map(({ group, how }) => `${group} ${how}`)).toEqual([
    "coalmine-new-canary created",
    "coalmine-new created",
  ]);
  expect([first.switchedOn, await isOn()]).toEqual([["fresh"], true]);
  // A device writes into its own region's bucket, and as somebody wished beside that.
  expect((await runningRevision(region, fresh.mainGroup))?.components).toEqual({
    [NAME]: { version: "1.0.0", merge: { bucket: fresh.lakeBucket, flushIntervalSeconds: 60 } },
  });
  const again = await install(...signed);
  expect(again).toMatchObject({ code: 0, err: "" });
  expect(again.out).toMatch(
    /^fresh: coalmine-new-canary has deployment .* already, and is left alone\nfresh: coalmine-new has .*$/,
  );
  const { out } = await as(
    { ...ines, policies: ["installers", "viewers"] },
    fresh,
    "audit",
    "export",
    `install-${commit}`,
  );
  expect(out).toContain('\\"kind\\":\\"installedFirst\\",\\"who\\":\\"ines@example.com\\"');
  // What Greengrass makes a deployment by, in the name of who deploys; tags of versions; and objects that are missing.
  expect(unused(ines, "installers")).toEqual(
    new Set([
      "greengrass:TagResource",
      "iot:CancelJob",
      "iot:DescribeJob",
      "iot:GetThingShadow",
      "iot:UpdateJob",
      "iot:UpdateThingShadow",
      "s3:ListBucket",
    ]),
  );
});
