import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { names } from "../../infra/identity/identity.ts";
import type { TestFleet } from "../../simulator/cloud/greengrass/test-fleet.ts";
import { runCommand } from "../command.fixture.ts";
import { places } from "../system/state.ts";
import { arnOf, type HealthyAccount, startHealthyAccount } from "./account.fixture.ts";
import type { Account } from "./account.ts";
import { type DoctorFinding, lookAll } from "./check.ts";
import { accountChecks } from "./checks/account-checks.ts";
import { fleetChecks } from "./checks/fleet-checks.ts";
import { identityChecks } from "./checks/identity-checks.ts";
import { addDoctorCommand } from "./commands.ts";
import { bringUpAws } from "./up-aws.ts";

const all = [...accountChecks, ...identityChecks, ...fleetChecks];
const HOUR_MS = 3_600_000;
let rig: HealthyAccount;
let fleet: TestFleet;
let account: Account;
const repository = places(dirname(dirname(import.meta.dirname)), {});
const connection =
  "arn:aws:codeconnections:us-east-1:123456789012:connection/0f3a0000-0000-4000-8000-000000000000";
const at = places(import.meta.dirname, { COALMINE_STATE: "/nowhere" });

const invoke = (service: string, operation: string, input: object): Promise<object> =>
  fleet.cloud.cloud.invoke(service, operation, input);
beforeAll(async () => {
  rig = await startHealthyAccount();
  ({ fleet, account } = rig);
}, 120_000);
afterAll(() => rig.close());

async function look(name: string, changes: Partial<Account> = {}): Promise<DoctorFinding> {
  const [finding] = await lookAll(
    all.filter((check) => check.name === name),
    { ...account, ...changes },
  );
  if (finding === undefined) throw new Error(`there is no check ${name}`);
  return finding;
}

test("a region as the stacks and this page leave it has nothing to say", async () => {
  const findings = await lookAll(all, account);
  // The fleet's clock is another than this machine's, whose own check has its own test.
  const loud = findings.filter(({ state, check }) => state !== "ok" && check !== "clock of this machine");
  expect(loud).toEqual([]);
});

test("every check says why it matters, and each failure what to do", () => {
  for (const { name, why } of all) expect(why, name).toMatch(/^.{30,}[^.]$/);
});

test("an account that is ready is told the commands that bring it up, with its own values", async () => {
  const said: string[] = [];
  const code = await withEnvironment({ AWS_ENDPOINT_URL: fleet.cloud.endpoint }, () =>
    listening(said, () =>
      bringUpAws(repository, { region: "us-east-1", repository: "ward/coalmine", connection }),
    ),
  );
  const text = said.join("\n");
  expect([code, text]).toEqual([0, expect.stringContaining("account 123456789012 in us-east-1 is ready")]);
  for (const command of [
    "npx aws-cdk@2 bootstrap aws://123456789012/us-east-1",
    `npm run synth -- -c account=123456789012 -c region=us-east-1 -c connectionArn=${connection} -c repositoryOwner=ward -c repositoryName=coalmine`,
    "npx aws-cdk@2 deploy --app cdk.out CoalmineIdentity CoalmineLake",
    `"artifactBucket":"coalmine-artifacts-us-east-1-123456789012"`,
    "npx coalmine fleet install --signers signers.json",
    "npx coalmine doctor --aws --region us-east-1",
  ])
    expect(text).toContain(command);
}, 300_000);

type Plant = readonly [
  check: string,
  plant: () => Promise<Partial<Account> | void>,
  state: string,
  sentence: RegExp,
];
const plants: readonly Plant[] = [
  [
    "credentials",
    async () => withKeys("AKIASOMEBODYELSE0000"),
    "failed",
    /InvalidClientTokenId|Unrecognized/,
  ],
  [
    "clock of this machine",
    async () => ({ clock: { now: () => Date.now() + 600_000 } }),
    "failed",
    /60[01] s ahead/,
  ],
  ["quota: topic rules", fillRules, "failed", /\d+ of 1000 topic rules are used/],
  [
    "endpoint for data",
    async () => rig.doorsAt(1),
    "failed",
    /127\.0\.0\.1 cannot be reached: port 1: .*ECONNREFUSED/,
  ],
  ["endpoint for credentials", async () => rig.doorsAt(1), "failed", /port 1/],
  [
    "endpoint of the data plane",
    async () => ({ isLocal: false, target: { ...account.target, region: "xx-nowhere-1" } }),
    "failed",
    /greengrass-ats\.iot\.xx-nowhere-1/,
  ],
  [
    "what the device's role may do",
    async () => ({ alsoNeeded: ["dynamodb:PutItem"] }),
    "failed",
    /may not do dynamodb:PutItem/,
  ],
  [
    "what a device's certificate may do",
    narrowPolicy,
    "failed",
    /lacks .*greengrass:ResolveComponentCandidates on \*/,
  ],
  ["provisioning template", () => switchOff(), "failed", /is switched off/],
  [
    "buckets",
    async () => ({ target: { ...account.target, lakeBucket: "coalmine-none" } }),
    "failed",
    /no bucket coalmine-none/,
  ],
  [
    "versions of artifacts",
    async () => ({ target: { ...account.target, artifactBucket: account.target.lakeBucket } }),
    "advised",
    /keeps no versions/,
  ],
  [
    "thing groups",
    async () => ({ target: { ...account.target, canaryGroup: "coalmine-none" } }),
    "failed",
    /no thing group coalmine-none/,
  ],
  [
    "devices that are heard",
    async () => fleet.wait(26 * HOUR_MS),
    "failed",
    /core-1 \(1 day 2 h ago\)|core-1 \(.* ago\) were last heard/,
  ],
  [
    "devices that are heard",
    () => rig.say("core-1", "UNHEALTHY"),
    "failed",
    /core-1 have a component that is BROKEN/,
  ],
  ["deployments that hang", hang, "failed", /core-1 \(since 2 h/],
  [
    "what happens when a deployment fails",
    () => revise({}, { deploymentPolicies: { failureHandlingPolicy: "DO_NOTHING" } }),
    "failed",
    /coalmine-main leave a failed device/,
  ],
  ["components that a revision left out", leaveOut, "advised", /com\.example\.Two from coalmine-main/],
  [
    "the nucleus's own version",
    () => revise({ "aws.greengrass.TokenExchangeService": "2.0.3" }),
    "advised",
    /do not say which nucleus/,
  ],
  ["how devices reach S3", async () => inRegion("me-south-1"), "failed", /leave s3EndpointType at GLOBAL/],
  ["versions in force", withdraw, "failed", /com\.example\.One 1\.0\.0 \(gone\)/],
  ["certificates of devices", anotherCertificate, "failed", /certificates of core-1 have no policy/],
  [
    "logs that arrive",
    () =>
      invoke("logs", "CreateLogGroup", { logGroupName: "/aws/greengrass/UserComponent/us-east-1/c.d" }).then(
        () => undefined,
      ),
    "advised",
    /c\.d keep their lines for ever/,
  ],
  [
    "log of AWS IoT",
    () => invoke("iot", "SetV2LoggingOptions", { disableAllLogs: true }).then(() => undefined),
    "advised",
    /it is off/,
  ],
  [
    "events of jobs",
    () =>
      invoke("iot", "UpdateEventConfigurations", {
        eventConfigurations: { JOB_EXECUTION: { Enabled: false } },
      }).then(() => undefined),
    "advised",
    /JOB_EXECUTION is off/,
  ],
  [
    "index of things",
    () =>
      invoke("iot", "UpdateIndexingConfiguration", {
        thingIndexingConfiguration: { thingIndexingMode: "OFF" },
      }).then(() => undefined),
    "advised",
    /it is off/,
  ],
  [
    "Greengrass service role",
    () => invoke("greengrass", "DisassociateServiceRoleFromAccount", {}).then(() => undefined),
    "advised",
    /none is associated/,
  ],
  [
    "role alias",
    () => invoke("iot", "DeleteRoleAlias", { roleAlias: names.roleAlias }).then(() => undefined),
    "failed",
    /no role alias CoalmineTokenExchange/,
  ],
];

test.each(plants)("%s: what was planted is found, with what to do", async (check, plant, state, sentence) => {
  const changes = (await plant()) ?? {};
  const finding = await look(check, changes);
  expect(finding).toMatchObject({
    state,
    sentence: expect.stringMatching(sentence),
    why: expect.any(String),
  });
  expect(finding.state === "ok" ? "" : finding.remedy).toMatch(/.{10,}/);
  rig.doorsAt();
});

test("every check has a planted failure", () => {
  const planted = new Set(plants.map(([check]) => check));
  // A quota of AWS's own that nobody can lower here.
  expect(all.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual([
    "quota: subscriptions of a connection",
  ]);
});

test("the command says the same as JSON, and exits with what the worst finding asks for", async () => {
  const { endpoint } = fleet.cloud;
  const region = { AWS_ENDPOINT_URL: endpoint, AWS_REGION: "us-east-1" };
  const ran = await withEnvironment(region, () =>
    runCommand((program) => addDoctorCommand(program, at), "doctor", "--aws", "--json"),
  );
  const { findings } = JSON.parse(ran.out) as { findings: DoctorFinding[] };
  expect(findings.find(({ check }) => check === "role alias")).toMatchObject({
    state: "failed",
    kind: "other",
  });
  expect(ran.code).toBe(1);
});

test("an account that is not ready is refused with the findings, and no command is printed", async () => {
  const { endpoint } = fleet.cloud;
  const said: string[] = [];
  const words = { region: "us-east-1", repository: "ward/coalmine", connection: connection };
  const code = await withEnvironment(
    { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: "AKIASOMEBODYELSE0000" },
    () => listening(said, () => bringUpAws(at, words)),
  );
  expect(code).not.toBe(0);
  expect(said.join("\n")).toMatch(/this account is not ready: nothing was changed/);
  expect(said.join("\n")).not.toContain("cdk@2 deploy");
  for (const [wrong, sentence] of [
    [{ ...words, region: "moon" }, /"moon" is no region's name/],
    [{ ...words, repository: "ward" }, /--repository OWNER\/NAME/],
    [{ ...words, connection: "x" }, /--connection ARN/],
    [{ ...words, context: ["signers"] }, /"signers" is no --context/],
  ] as const)
    await expect(bringUpAws(at, wrong)).rejects.toThrow(sentence);
});

async function listening(said: string[], work: () => Promise<number>): Promise<number> {
  const ran = await runCommand((program) => {
    program.command("it").action(async () => {
      process.exitCode = await work();
    });
  }, "it");
  said.push(ran.out, ran.err);
  return ran.code;
}

async function withEnvironment<Result>(
  changes: Record<string, string>,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = { ...process.env };
  Object.assign(process.env, changes);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(changes)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

function withKeys(accessKeyId: string): Partial<Account> {
  const { sts } = account;
  const other = new (sts.constructor as new (settings: object) => Account["sts"])({
    endpoint: fleet.cloud.endpoint,
    region: "us-east-1",
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: "nothing" },
  });
  return { sts: other };
}

async function fillRules(): Promise<void> {
  const used = ((await invoke("iot", "ListTopicRules", {})) as { rules: unknown[] }).rules.length;
  for (let n = used; n < 996; n++)
    await invoke("iot", "CreateTopicRule", {
      ruleName: `rule_${n}`,
      topicRulePayload: { sql: "SELECT * FROM 'x'", actions: [], ruleDisabled: true },
    });
}

async function narrowPolicy(): Promise<void> {
  const Statement = [{ Effect: "Allow", Action: ["iot:Connect"], Resource: ["*"] }];
  await invoke("iot", "CreatePolicyVersion", {
    policyName: names.devicePolicy,
    policyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
    setAsDefault: true,
  });
}

async function switchOff(): Promise<void> {
  await invoke("iot", "UpdateProvisioningTemplate", {
    templateName: names.provisioningTemplate,
    enabled: false,
  });
}

async function hang(): Promise<void> {
  const { jobsService: jobs } = fleet.cloud.cloud.iot;
  const { deployments } = (await invoke("greengrass", "ListDeployments", {
    targetArn: arnOf(names.mainGroup),
  })) as {
    deployments: { deploymentId: string }[];
  };
  const { iotJobId } = (await invoke("greengrass", "GetDeployment", {
    deploymentId: deployments[0]?.deploymentId,
  })) as { iotJobId: string };
  jobs.executions.report(jobs.executions.get(iotJobId, "core-1"), "IN_PROGRESS", {});
  await fleet.wait(2 * HOUR_MS);
}

async function revise(more: Record<string, string>, policies: object = {}): Promise<void> {
  await fleet.deploy(
    arnOf(names.mainGroup),
    { "com.example.One": "1.0.0", "com.example.Two": "1.0.0", ...more },
    policies,
  );
}

async function leaveOut(): Promise<void> {
  await revise({});
  await fleet.deploy(arnOf(names.mainGroup), { "com.example.One": "1.0.0" });
}

/** Its groups answer here; its name alone is another. */
function inRegion(region: string): Partial<Account> {
  return { target: { ...account.target, region } };
}

async function withdraw(): Promise<void> {
  await invoke("greengrass", "DeleteComponent", {
    arn: "arn:aws:greengrass:us-east-1:123456789012:components:com.example.One:versions:1.0.0",
  });
}

async function anotherCertificate(): Promise<void> {
  const made = (await invoke("iot", "CreateKeysAndCertificate", { setAsActive: true })) as {
    certificateArn: string;
  };
  await invoke("iot", "AttachThingPrincipal", { thingName: "core-1", principal: made.certificateArn });
}
