import { CfnRoute } from "aws-cdk-lib/aws-apigatewayv2";
import { CfnDistribution } from "aws-cdk-lib/aws-cloudfront";
import { CfnManagedPolicy, CfnRole } from "aws-cdk-lib/aws-iam";
import { type Stack, Validations } from "aws-cdk-lib/core";
import type { IConstruct } from "constructs";
import * as z from "zod";
import { withoutResource } from "./policies/without-resource.ts";

/** Why a part of a resource's name is open in a role's policy: what it is open for has its name only at run time. */
const open: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/:s3:::[^/]+\/.*\*/, "objects are named for commits, devices and days, below a prefix of one bucket"],
  [
    /:kms:.*:key\/\*$/,
    "the key is named by its alias in the statement's condition, and used by way of one service",
  ],
  [/:log-stream:\*$/, "a log's streams are named when they begin; the group is the role's own"],
  [
    /:log-group:\/aws\/greengrass\/(UserComponent\/[^/]+\/)?\*$/,
    "Greengrass names a device's log groups for its components",
  ],
  [/:log-group:\*$/, "groups are listed by a prefix, which IAM does not see"],
  [/:iot:.*:(cert|thing|job)\/\*$/, "devices, their certificates and their jobs come and go"],
  [/:iot:.*:thinggroup\/coalmine-\*$/, "a device may be in any group of Coalmine's, and in no other"],
  [/:iot:.*:topic\/coalmine\/\*\/certificate\/answer$/, "each device has an answer's topic of its own"],
  [/:greengrass:.*:(deployments|coreDevices):\*$/, "deployments and core devices come and go"],
  [/:greengrass:.*:components:coalmine\.\*$/, "components of the suite, in each of their versions"],
  [/:greengrass:.*:components:\*$/, "operators see every component of the account, whoever published it"],
  [/:cloudwatch:.*:alarm:\*$/, "alarms are asked for by their state, whatever their names are"],
  [/:codebuild:.*:project\/coalmine-\*$/, "one project for each stage of the definition"],
];

/** Why a route asks nobody who they are. */
const unsigned: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^POST \/claims\//, "whoever exchanges a one-time code has no credential yet: the code is what is shown"],
  [
    /^ANY \/api\/\{proxy\+\}$/,
    "the function verifies the session's token with each request, and tells who has none only how to sign in",
  ],
];

const Statement = z.object({
  Action: z.union([z.string(), z.array(z.string())]).transform((action) => [action].flat()),
  Resource: z.unknown().transform((resource) => [resource].flat()),
});
const Policies = z.array(
  z.object({
    policyDocument: z.object({
      Statement: z.union([Statement, z.array(Statement)]).transform((statement) => [statement].flat()),
    }),
  }),
);

/** Says of what the checks find why it is so, for each resource by itself. What has no reason here fails synthesis. */
export function acknowledge(stack: Stack): void {
  for (const found of stack.node.findAll()) {
    if (found instanceof CfnRole) acknowledgeWildcards(stack, found, found.policies ?? []);
    if (found instanceof CfnManagedPolicy)
      acknowledgeWildcards(stack, found, [{ policyDocument: found.policyDocument }]);
    if (found instanceof CfnRoute && found.authorizationType === "NONE") {
      const reason = unsigned.find(([pattern]) => pattern.test(found.routeKey))?.[1];
      if (reason !== undefined) say(found, "APIG4", reason);
    }
    if (found instanceof CfnDistribution)
      say(found, "CFR1", "operators sign in from wherever they are, with a second factor");
  }
}

function acknowledgeWildcards(stack: Stack, holder: IConstruct, policies: unknown): void {
  for (const { policyDocument } of Policies.parse(stack.resolve(policies)))
    for (const { Action, Resource } of policyDocument.Statement)
      for (const resource of Resource.map(nameOf)) {
        const reason = reasonFor(resource, Action);
        if (resource.includes("*") && reason !== undefined)
          say(holder, `IAM5[Resource::${resource}]`, reason);
      }
}

function reasonFor(resource: string, actions: readonly string[]): string | undefined {
  if (resource !== "*") return open.find(([pattern]) => pattern.test(resource))?.[1];
  const reasons = actions.map((action) => withoutResource[action]);
  return reasons.includes(undefined)
    ? undefined
    : actions.map((action, at) => `${action}: ${reasons[at] ?? ""}`).join("; ");
}

function say(resource: IConstruct, rule: string, reason: string): void {
  Validations.of(resource).acknowledge({
    id: `AwsSolutions::AwsSolutions-${rule}`,
    reason: `${resource.node.path}: ${reason}.`,
  });
}

const Join = z.object({ "Fn::Join": z.tuple([z.string(), z.array(z.unknown())]) });
const Ref = z.object({ Ref: z.string() });

/** A resource as the checks write it: what is known only later stands in angle brackets. */
function nameOf(resource: unknown): string {
  if (typeof resource === "string") return resource.replaceAll(/\$\{([^}]*)\}/g, "<$1>");
  const join = Join.safeParse(resource).data;
  if (join !== undefined) return join["Fn::Join"][1].map(nameOf).join(join["Fn::Join"][0]);
  const ref = Ref.safeParse(resource).data;
  return ref === undefined ? "" : `<${ref.Ref}>`;
}
