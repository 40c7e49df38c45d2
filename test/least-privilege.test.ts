import { mkdtempSync, readFileSync, rmSync, globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AttachThingPrincipalCommand, CreateKeysAndCertificateCommand } from "@aws-sdk/client-iot";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { ThingName } from "@coalmine/contract";
import { Decided, type Role, RolloutPage, roles as operatorRoles } from "@coalmine/contract/operator-api";
import { Closing, silentLog } from "@coalmine/runtime";
import { createLocalJWKSet } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addHistory } from "../api/devices/history.ts";
import { groupOf } from "../api/http/sign-in/groups.ts";
import { closeOperatorRegion, openOperatorRegion } from "../api/operator-region.ts";
import { play, type Rig, startRig } from "../api/rig.ts";
import { lakeKey } from "../components/stream-uploader/src/lake-key.ts";
import { app } from "../infra/app.ts";
import { noticesBy } from "../infra/handlers/controller/notices.ts";
import { controllerFunction } from "../infra/handlers/controller/passes.ts";
import { operatorsFunction } from "../infra/handlers/operators/operators.ts";
import { Controller } from "../pipeline/controller/controller.ts";
import { KeptDocuments } from "../pipeline/controller/kept.ts";
import { closeRegion, openRegion } from "../pipeline/controller/region.ts";
import { RolloutLog } from "../pipeline/controller/rollout-log.ts";
import { rehearsalKey } from "../pipeline/rehearsals.ts";
import { userPool } from "../simulator/cloud/cognito/user-pool.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { deviceLog } from "./device-log.ts";
import { holdAgainstContract } from "./operator-contract.ts";
import { raiseAlarms } from "./raise-alarms.ts";
import { startCloud } from "./rig-cloud.ts";
import { type Call, type Question, questionsOf, recordCalls } from "./recorded-calls.ts";
import { mayAnywhere, mayAsk, rolesOf } from "./synthesized-roles.ts";
import { throughGateway } from "./ways-to-an-app.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const where = { region: "us-east-1", accountId: "123456789012" };
const closing = new Closing();
const folder = mkdtempSync(join(tmpdir(), "coalmine-roles-"));
let roles: ReturnType<typeof rolesOf>;
const role = (path: string) => {
  const found = roles.get(path);
  if (found === undefined) throw new Error(`no role ${path}; there are ${[...roles.keys()].join(", ")}`);
  return found;
};
beforeAll(() => {
  roles = rolesOf(app({}, folder).stacks);
}, 300_000);
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The calls by the names that an account has; locally buckets are called otherwise. */
function refusedOf(path: string, calls: readonly Call[]): string[] {
  const renamed = (question: Question): Question => ({
    ...question,
    resources: question.resources.map((resource) =>
      resource.replace(/:::artifacts-home(?=\/|$)/, ":::coalmine-artifacts-us-east-1-123456789012"),
    ),
  });
  const refused = calls
    .flatMap((call) => questionsOf(call, where))
    .map(renamed)
    .filter((question) => !mayAsk(role(path), question));
  return [...new Set(refused.map(({ action, resources }) => `${action} ${resources.join(" ")}`))];
}

const COMMIT = "2222222bbbbb";

test("the controller's function and the operators' run a whole rollout against the local cloud, and their roles allow every call", async () => {
  const rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 3 });
  // Clients of its own: the surroundings' calls are not the controller's.
  const region = closing.add(openRegion(rig.home.region.target, where.accountId), closeRegion);
  const clients = [region.dynamodb, region.greengrass, region.iot, region.s3, region.codepipeline];
  const sns = new SNSClient({ region: region.target.region, endpoint: region.target.endpoint ?? "" });
  closing.add(sns, () => sns.destroy());
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "coalmine-alerts" }));
  await rig.push(COMMIT, "1.0.1");

  const lines: string[] = [];
  const { clock } = rig.options;
  const controller = new Controller({ ...rig.options, regions: [region], notify: noticesBy(sns, TopicArn) });
  const passes = controllerFunction({ controller, clock, metricLine: (line) => lines.push(line) });
  const recorded = recordCalls([...clients, sns]);
  const { passes: made, phase } = await passes();
  let promoted = 0;
  await play(rig, async () => {
    const told = await controller.tick();
    if (told.rollout === undefined || told.phase !== "awaitingPromotion" || told.moved) return told;
    await promoteThroughGateway(rig, told.rollout);
    promoted++;
    return controller.tick();
  });
  recorded.stop();
  expect(promoted).toBe(1);
  expect(made).toBeGreaterThan(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ passes: made, phase });
  expect(recorded.calls.length).toBeGreaterThan(50);
  const commands = new Set(recorded.calls.map(({ command }) => command));
  for (const command of [
    "CreateDeploymentCommand",
    "PutApprovalResultCommand",
    "PublishCommand",
    "TransactWriteItemsCommand",
  ])
    expect(commands).toContain(command);
  expect(refusedOf("CoalmineRollout/Controller/Role", recorded.calls)).toEqual([]);
});

/** The operators' function behind a gateway, with people of a user pool: it keeps the contract, and its role allows every call. */
async function promoteThroughGateway(rig: Rig, rollout: string): Promise<void> {
  const { clock } = rig.options;
  const thing = ThingName.parse("home-0");
  const region = closing.add(
    openOperatorRegion(rig.home.region.target, where.accountId),
    closeOperatorRegion,
  );
  await raiseAlarms(closing, rig.home.region, rig.home.clock);
  await deviceLog(closing, region.target, thing, () => clock.now()).then((put) => put(["one"]));
  const put = (Key: string, document: object): Promise<object> =>
    rig.home.region.s3.send(
      new PutObjectCommand({
        Bucket: region.target.artifactBucket,
        Key,
        Body: JSON.stringify(document),
      }),
    );
  const rehearsal = { commit: COMMIT, atMs: 1, passed: true, verdict: "It passes.", seconds: 20, checks: [] };
  await put(rehearsalKey(COMMIT), rehearsal);
  const report = `commissioning/${thing}/report.json`;
  await put(report, { thing });
  await addHistory({ dynamodb: rig.home.region.dynamodb, clock }, thing, {
    kind: "commissioned",
    who: "tom",
    site: "one",
    finishedAt: "2030-01-01T00:00:00Z",
    certificateId: "c",
    passed: true,
    ports: [],
    sha256: "s",
    key: report,
  });

  // A certificate, which the registry is asked for as well.
  const { certificateArn: principal = "" } = await rig.home.region.iot.send(
    new CreateKeysAndCertificateCommand({ setAsActive: true }),
  );
  await rig.home.region.iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal }));

  const pool = { region: where.region, poolId: "us-east-1_People", clientId: "console", clock };
  const people = userPool(pool);
  const origin = "https://console.example.com";
  const fetch = throughGateway(
    operatorsFunction({
      settings: {
        COALMINE_ACCOUNT: where.accountId,
        COALMINE_ORIGIN: origin,
        COALMINE_ISSUER: people.issuer,
        COALMINE_CLIENT_ID: pool.clientId,
        COALMINE_AUTHORIZE_URL: "https://people.example.com/oauth2/authorize",
        COALMINE_TOKEN_URL: "https://people.example.com/oauth2/token",
        COALMINE_REVOKE_URL: "https://people.example.com/oauth2/revoke",
        COALMINE_LOGOUT_URL: "https://people.example.com/logout",
      },
      keys: createLocalJWKSet({ keys: people.keys.map((key) => ({ ...key, kty: "RSA" })) }),
      newSecret: () => "secret",
      api: {
        ...rig.api,
        log: new RolloutLog(region.dynamodb, clock),
        kept: new KeptDocuments(region.s3, region.target.artifactBucket),
      },
      regions: [region],
      clock,
      log: silentLog,
      name: "test",
    }),
  );
  const shows = (groups: readonly string[], by = people): { authorization: string } => ({
    authorization: `Bearer ${by.idToken({ sub: "7f", email: "ada@example.com", groups })}`,
  });
  const headers = Object.fromEntries(
    operatorRoles.map((one) => [one, shows([groupOf(one), "others"])]),
  ) as Record<Role, { authorization: string }>;

  const { dynamodb, greengrass, iot, s3, codepipeline, cloudwatch, logs } = region;
  const asked = recordCalls([dynamodb, greengrass, iot, s3, codepipeline, cloudwatch, logs]);
  const others = [
    shows(["others"]),
    shows([groupOf("admin")], userPool(pool)),
    shows([groupOf("admin")], userPool({ ...pool, clientId: "another" })),
  ];
  for (const nobody of others) expect((await fetch("/api/rollouts", { headers: nobody })).status).toBe(401);
  expect(asked.calls).toEqual([]);
  // The console's own way in: it asks how, and follows the link.
  expect(await (await fetch("/api/sign-in")).json()).toEqual({
    how: "provider",
    start: "/api/sign-in/start",
  });
  const start = await fetch("/api/sign-in/start");
  const { host, searchParams } = new URL(start.headers.get("location") ?? "");
  expect([start.status, host, searchParams.get("redirect_uri")]).toEqual([
    302,
    "people.example.com",
    `${origin}/api/sign-in/back`,
  ]);
  expect(start.headers.getSetCookie()).toHaveLength(1);

  await holdAgainstContract({ fetch, headers, rollout, thing, commit: COMMIT });
  const commissioned = await fetch(`/api/devices/${thing}/commissioning`, { headers: headers.viewer });
  expect(await commissioned.json()).toEqual({ thing });
  const cookie = `coalmine_session=${headers.operator.authorization.replace("Bearer ", "")}`;
  const { state } = RolloutPage.parse(
    await (await fetch(`/api/rollouts/${rollout}`, { headers: { cookie } })).json(),
  );
  const decided = await fetch(`/api/rollouts/${rollout}/promote`, {
    method: "POST",
    headers: { cookie, origin, "content-type": "application/json" },
    body: JSON.stringify({ reason: "looks well", state, key: "decision-1" }),
  });
  expect(Decided.parse(await decided.json()).rollout).toBe(rollout);
  asked.stop();
  const path = "CoalmineConsole/Operators/Role";
  expect(refusedOf(path, asked.calls)).toEqual([]);
  const actions = new Set(
    asked.calls.flatMap((call) => questionsOf(call, where)).map(({ action }) => action),
  );
  const unused = role(path)
    .flatMap((statement) => statement.actions)
    .filter((action) => !actions.has(action));
  // Of devices that a rollout waits for; the others write the function's own log.
  expect(new Set(unused)).toEqual(
    new Set(["greengrass:ListEffectiveDeployments", "logs:CreateLogStream", "logs:PutLogEvents"]),
  );
}

/** Commands of AWS clients that the source of a folder has: what it can call at all. */
function commandsIn(...patterns: string[]): string[] {
  const source = patterns
    .flatMap((pattern) => globSync(pattern))
    .filter((file) => !file.endsWith(".test.ts"));
  return [
    ...new Set(
      source.flatMap((file) =>
        [...readFileSync(file, "utf8").matchAll(/new (\w+)Command\(/g)].map((match) => match[1] ?? ""),
      ),
    ),
  ];
}

test("a stage may make each call that its source has, and no other stage may", () => {
  const publish = commandsIn("pipeline/publish/publish*.ts");
  expect(publish).toContain("CreateComponentVersion");
  const actions = (commands: readonly string[]): string[] =>
    commands.map((command) =>
      command.endsWith("Object") ? `s3:${command.replace("Head", "Get")}` : `greengrass:${command}`,
    );
  const missing = (path: string, commands: readonly string[]): string[] =>
    actions(commands).filter((action) => !mayAnywhere(role(path), action));
  expect(missing("CoalmineDelivery/PublishRole", publish)).toEqual([]);
  const rehearse = commandsIn("pipeline/stages/{running-release,override}.ts", "pipeline/rehearsals.ts");
  expect(rehearse).toContain("PutObject");
  expect(missing("CoalmineDelivery/RehearseRole", rehearse)).toEqual([]);
  expect(missing("CoalmineDelivery/CheckRole", commandsIn("pipeline/stages/last-published.ts"))).toEqual([]);
  expect(
    missing("CoalmineDelivery/PublishConsoleRole", commandsIn("pipeline/publish/console-site.ts")),
  ).toEqual([]);
  for (const stage of ["CheckInstall", "Check", "Build", "Rehearse", "PublishConsole"])
    expect(
      mayAnywhere(role(`CoalmineDelivery/${stage}Role`), "greengrass:CreateComponentVersion"),
      stage,
    ).toBe(false);
});

/** Calls that none of the code makes: whoever has a role can make none of them either. */
const never = [
  "cloudformation:UpdateStack",
  "dynamodb:DeleteItem",
  "dynamodb:DeleteTable",
  "greengrass:DeleteComponent",
  "greengrass:DeleteDeployment",
  "iam:AttachRolePolicy",
  "iam:CreateAccessKey",
  "iam:PassRole",
  "iot:CreatePolicyVersion",
  "iot:DeleteCertificate",
  "iot:DeletePolicy",
  "kms:ScheduleKeyDeletion",
  "lambda:InvokeFunction",
  "lambda:UpdateFunctionCode",
  "s3:DeleteObject",
  "s3:DeleteBucket",
  "s3:PutBucketPolicy",
  "secretsmanager:GetSecretValue",
  "sts:AssumeRole",
];

test("no role may do what no code does", () => {
  expect(roles.size).toBeGreaterThan(15);
  const open = [...roles].flatMap(([path, statements]) =>
    never.filter((action) => mayAnywhere(statements, action)).map((action) => `${path} ${action}`),
  );
  expect(open).toEqual([]);
});

/** What one role or policy does, mostly, and the others must not. */
const alone: Readonly<Record<string, readonly string[]>> = {
  // Of the few codes that were refused.
  "dynamodb:Scan": ["CoalmineConsole/Operators/Role"],
  "codepipeline:PutApprovalResult": ["CoalmineRollout/Controller/Role"],
  // The first one is somebody's own doing.
  "greengrass:CreateDeployment": ["CoalmineRollout/Controller/Role", "CoalmineRollout/Command/installers"],
  "iot:RemoveThingFromThingGroup": [
    "CoalmineRollout/Controller/Role",
    "CoalmineRollout/Command/commissioners",
  ],
  "iot:DeleteThing": ["CoalmineRollout/Command/commissioners"],
  "greengrass:CreateComponentVersion": ["CoalmineRollout/Command/installers", "CoalmineDelivery/PublishRole"],
  "iot:CreateProvisioningClaim": ["CoalmineIdentity/Commissioning/claims/Role"],
  "iot:CreateCertificateFromCsr": ["CoalmineIdentity/Commissioning/certificates/Role"],
  "iot:RegisterCertificate": ["CoalmineIdentity/ProvisioningRole"],
  "iot:Publish": ["CoalmineIdentity/Commissioning/certificates/Role"],
  "codebuild:StartBuild": ["CoalmineDelivery/PipelineRole"],
  "execute-api:Invoke": ["CoalmineResults/DevicesAsk"],
};
test.each(Object.entries(alone))("%s is allowed to these alone", (action, paths) => {
  expect([...roles].flatMap(([path, statements]) => (mayAnywhere(statements, action) ? [path] : []))).toEqual(
    paths,
  );
});

test("the stage that copies the console writes its bucket, and no artifact", () => {
  const put = (bucket: string) =>
    mayAsk(role("CoalmineDelivery/PublishConsoleRole"), {
      action: "s3:PutObject",
      resources: [`arn:aws:s3:::coalmine-${bucket}-us-east-1-123456789012/index.html`],
    });
  expect([put("site"), put("artifacts"), put("lake")]).toEqual([true, false, false]);
});

test("a device writes its own measurements and asks for its own results, and nobody else's", () => {
  const device = (thing: string) => ({ "credentials-iot:ThingName": thing });
  const key = lakeKey({
    prefix: "measurements",
    thing: ThingName.parse("core-01"),
    range: { epoch: "e", first: 1, last: 2 },
    day: 20_000,
    ending: "v1.parquet",
  });
  const put = {
    action: "s3:PutObject",
    resources: [`arn:aws:s3:::coalmine-lake-us-east-1-123456789012/${key}`],
  };
  const components = role("CoalmineIdentity/TokenExchangeRole");
  expect(mayAsk(components, { ...put, variables: device("core-01") })).toBe(true);
  expect(mayAsk(components, { ...put, variables: device("core-02") })).toBe(false);
  const own = {
    action: "execute-api:Invoke",
    resources: [
      "arn:aws:execute-api:us-east-1:123456789012:ref-ApiF70053CD/$default/GET/devices/core-01/results",
    ],
  };
  const asking = role("CoalmineResults/DevicesAsk");
  expect(mayAsk(asking, { ...own, variables: device("core-01") })).toBe(true);
  expect(mayAsk(asking, { ...own, variables: device("core-02") })).toBe(false);
});
