import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Match, Template } from "aws-cdk-lib/assertions";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stages } from "../pipeline/definition.ts";
import { app } from "./app.ts";
import { claimPaths } from "@coalmine/contract/commissioning";
import { functionNames } from "./identity/functions.ts";
import { names } from "./identity/identity.ts";

const folder = mkdtempSync(join(tmpdir(), "coalmine-synth-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const templates = new Map<string, Template>();
const template = (name: string) => templates.get(name) ?? fail(name);
// Synthesis loads all of CDK: about 6 s on an idle machine.
beforeAll(() => {
  for (const stack of app({}, folder).stacks) templates.set(stack.stackName, Template.fromStack(stack));
}, 120_000);

test("the pipeline has every stage of the definition, in its order, and is of type V2", () => {
  const [pipeline] = Object.values(template("CoalmineDelivery").findResources("AWS::CodePipeline::Pipeline"));
  expect(pipeline?.["Properties"]).toMatchObject({ PipelineType: "V2", ExecutionMode: "SUPERSEDED" });
  const made = pipeline?.["Properties"].Stages.map((stage: { Name: string }) => stage.Name);
  expect(made).toEqual(["Source", ...stages.map(({ name }) => name)]);
});

test("CodeBuild runs the very commands of the definition", () => {
  const projects = Object.values(template("CoalmineDelivery").findResources("AWS::CodeBuild::Project"));
  const commands = projects.flatMap(
    (project) => JSON.parse(project["Properties"].Source.BuildSpec).phases.build.commands,
  );
  expect(commands).toEqual(
    stages.flatMap((stage) =>
      stage.kind === "work" ? stage.actions.flatMap((action) => action.commands) : [],
    ),
  );
});

test("every wait is an approval that nobody's stage command answers", () => {
  const [pipeline] = Object.values(template("CoalmineDelivery").findResources("AWS::CodePipeline::Pipeline"));
  const approvals = pipeline?.["Properties"].Stages.filter(
    (stage: { Actions: { ActionTypeId: { Category: string } }[] }) =>
      stage.Actions[0]?.ActionTypeId.Category === "Approval",
  );
  expect(approvals.map((stage: { Name: string }) => stage.Name)).toEqual(
    stages.filter(({ kind }) => kind === "wait").map(({ name }) => name),
  );
  expect(JSON.stringify(template("CoalmineDelivery").findResources("AWS::IAM::Policy"))).not.toContain(
    "PutApprovalResult",
  );
});

test("the identity stack holds groups, policies, role alias and the provisioning template", () => {
  const identity = template("CoalmineIdentity");
  for (const group of [names.fleetGroup, names.mainGroup, names.canaryGroup])
    identity.hasResourceProperties("AWS::IoT::ThingGroup", { ThingGroupName: group });
  identity.resourceCountIs("AWS::IoT::Policy", 1);
  identity.hasResourceProperties("AWS::IoT::RoleAlias", { RoleAlias: names.roleAlias });
  identity.hasResourceProperties("AWS::IoT::ProvisioningTemplate", {
    TemplateName: names.provisioningTemplate,
    Enabled: true,
  });
});

test("devices are commissioned by functions of their own: the exchange behind HTTPS, the hook, the record, the alarm", () => {
  const identity = template("CoalmineIdentity");
  for (const name of Object.values(functionNames))
    identity.hasResourceProperties("AWS::Lambda::Function", { FunctionName: name });
  identity.hasResourceProperties("AWS::IoT::ProvisioningTemplate", {
    PreProvisioningHook: { TargetArn: { "Fn::GetAtt": Match.anyValue() } },
  });
  for (const path of Object.values(claimPaths))
    identity.hasResourceProperties("AWS::ApiGatewayV2::Route", { RouteKey: `POST ${path}` });
  identity.hasResourceProperties("AWS::IoT::TopicRule", {
    TopicRulePayload: { Sql: "SELECT *, topic(2) AS thing FROM 'coalmine/+/commissioning'" },
  });
  identity.hasResourceProperties("AWS::CloudWatch::Alarm", { MetricName: "ClaimReplayed" });
});

test("devices may put dead letters where a bucket for them is named, and nowhere else", () => {
  const puts = (stack: Template): unknown[] =>
    Object.values(stack.findResources("AWS::IAM::Role")).flatMap((role) =>
      (role["Properties"].Policies ?? []).flatMap(
        (policy: { PolicyDocument: { Statement: { Action: unknown; Resource: unknown }[] } }) =>
          policy.PolicyDocument.Statement.filter(({ Action }) => Action === "s3:PutObject").map(
            ({ Resource }) => Resource,
          ),
      ),
    );
  expect(JSON.stringify(puts(template("CoalmineIdentity")))).not.toContain("dead-letters");
  const [identity] = app({ deadLetterBucket: "letters" }, folder).stacks;
  expect(JSON.stringify(puts(Template.fromStack(identity ?? fail("CoalmineIdentity"))))).toContain(
    ":s3:::letters/dead-letters/*",
  );
});

test("a wrong context is refused with its value and what is allowed", () => {
  expect(() => app({ account: "12" }, folder)).toThrow(
    'context account is "12": an AWS account has 12 digits',
  );
});

function fail(name: string): never {
  throw new Error(`no stack ${name}`);
}
