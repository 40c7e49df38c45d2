import { mkdtempSync, readFileSync, rmSync, globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { ThingName } from "@coalmine/contract";
import { Closing } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { play, startRig } from "../api/rig.ts";
import { lakeKey } from "../components/stream-uploader/src/lake-key.ts";
import { app } from "../infra/app.ts";
import { noticesBy } from "../infra/handlers/controller/notices.ts";
import { controllerFunction } from "../infra/handlers/controller/passes.ts";
import { operatorsFunction } from "../infra/handlers/operators/operators.ts";
import { Controller } from "../pipeline/controller/controller.ts";
import { KeptDocuments } from "../pipeline/controller/kept.ts";
import { closeRegion, openRegion } from "../pipeline/controller/region.ts";
import { RolloutLog } from "../pipeline/controller/rollout-log.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "./rig-cloud.ts";
import { type Call, type Question, questionsOf, recordCalls } from "./recorded-calls.ts";
import { mayAnywhere, mayAsk, rolesOf } from "./synthesized-roles.ts";

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
      resource.replace(/:::artifacts-home\//, ":::coalmine-artifacts-us-east-1-123456789012/"),
    ),
  });
  const refused = calls
    .flatMap((call) => questionsOf(call, where))
    .map(renamed)
    .filter((question) => !mayAsk(role(path), question));
  return [...new Set(refused.map(({ action, resources }) => `${action} ${resources.join(" ")}`))];
}

test("the controller's function and the operators' run a whole rollout against the local cloud, and their roles allow every call", async () => {
  const rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 3 });
  // Clients of its own: the surroundings' calls are not the controller's.
  const region = closing.add(openRegion(rig.home.region.target, where.accountId), closeRegion);
  const clients = [region.dynamodb, region.greengrass, region.iot, region.s3, region.codepipeline];
  const sns = new SNSClient({ region: region.target.region, endpoint: region.target.endpoint ?? "" });
  closing.add(sns, () => sns.destroy());
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "coalmine-alerts" }));
  await rig.push("2222222bbbbb", "1.0.1");

  const lines: string[] = [];
  const { clock } = rig.options;
  const controller = new Controller({ ...rig.options, regions: [region], notify: noticesBy(sns, TopicArn) });
  const passes = controllerFunction({ controller, clock, metricLine: (line) => lines.push(line) });
  const recorded = recordCalls([...clients, sns]);
  const { passes: made, phase } = await passes();
  const rollout = await play(rig, () => controller.tick());
  recorded.stop();
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

  const operators = operatorsFunction({
    api: {
      ...rig.api,
      log: new RolloutLog(region.dynamodb, clock),
      kept: new KeptDocuments(region.s3, region.target.artifactBucket),
    },
    regions: [region],
    clock,
  });
  const ask = (rawPath: string, groups?: string) =>
    operators({
      rawPath,
      requestContext: {
        http: { method: "GET", sourceIp: "192.0.2.1" },
        ...(groups === undefined
          ? {}
          : { authorizer: { jwt: { claims: { sub: "ada", "cognito:groups": groups } } } }),
      },
    });
  const asked = recordCalls(clients);
  expect(await ask("/api/rollouts", "[coalmine-viewer]")).toMatchObject({ statusCode: 200 });
  expect(await ask(`/api/rollouts/${rollout}`, "[coalmine-viewer others]")).toMatchObject({
    statusCode: 200,
  });
  expect(await ask("/api/rollouts", "[others]")).toMatchObject({ statusCode: 401 });
  expect(await ask("/api/rollouts")).toMatchObject({ statusCode: 401 });
  expect(await ask("/api/events", "[coalmine-viewer]")).toMatchObject({ statusCode: 501 });
  asked.stop();
  expect(refusedOf("CoalmineConsole/Operators/Role", asked.calls)).toEqual([]);
});

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
  expect(missing("CoalmineDelivery/RehearseRole", commandsIn("pipeline/stages/running-release.ts"))).toEqual(
    [],
  );
  for (const stage of ["CheckInstall", "Check", "Build", "Rehearse"])
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
  "dynamodb:Scan",
  "greengrass:DeleteComponent",
  "greengrass:DeleteDeployment",
  "iam:AttachRolePolicy",
  "iam:CreateAccessKey",
  "iam:PassRole",
  "iot:CreatePolicyVersion",
  "iot:DeleteCertificate",
  "iot:DeletePolicy",
  "iot:DeleteThing",
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

/** What one role does and the others must not. */
const alone: Readonly<Record<string, readonly string[]>> = {
  "codepipeline:PutApprovalResult": ["CoalmineRollout/Controller/Role"],
  "greengrass:CreateDeployment": ["CoalmineRollout/Controller/Role"],
  "iot:RemoveThingFromThingGroup": ["CoalmineRollout/Controller/Role"],
  "greengrass:CreateComponentVersion": ["CoalmineDelivery/PublishRole"],
  "iot:CreateProvisioningClaim": ["CoalmineIdentity/Commissioning/claims/Role"],
  "iot:CreateCertificateFromCsr": ["CoalmineIdentity/Commissioning/certificates/Role"],
  "iot:RegisterCertificate": ["CoalmineIdentity/ProvisioningRole"],
  "iot:Publish": ["CoalmineIdentity/Commissioning/certificates/Role"],
  "codebuild:StartBuild": ["CoalmineDelivery/PipelineRole"],
  "execute-api:Invoke": ["CoalmineResults/DevicesAsk"],
};
test.each(Object.entries(alone))("%s is allowed to one role", (action, paths) => {
  expect([...roles].flatMap(([path, statements]) => (mayAnywhere(statements, action) ? [path] : []))).toEqual(
    paths,
  );
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
