import { type ContextEntry, GetRoleCommand, SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import {
  DescribeProvisioningTemplateCommand,
  DescribeRoleAliasCommand,
  DescribeThingGroupCommand,
  GetPolicyCommand,
} from "@aws-sdk/client-iot";
import { GetBucketLocationCommand, GetBucketVersioningCommand } from "@aws-sdk/client-s3";
import * as z from "zod";
import { devicePolicy, names, tokenExchangePolicy } from "../../../infra/identity/identity.ts";
import type { Statement } from "../../../infra/policies/statement.ts";
import { type Account, callerOf, unlessNone } from "../account.ts";
import { advised, bad, type Check, fine, type Found } from "../check.ts";

const deploy = (stack: string): string => `deploy the stack ${stack}: \`coalmine up --aws\` prints how`;

const Policy = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Action: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
      Resource: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
    }),
  ),
});

/** What lets devices in, and what they may then do. */
export const identityChecks: readonly Check<Account>[] = [
  {
    name: "role alias",
    why: "by it a device's certificate becomes AWS credentials; where it or its role is missing, no component reaches S3 or logs, and only the device's own log says so",
    look: async ({ iot, iam }): Promise<Found> => {
      const found = await unlessNone(iot.send(new DescribeRoleAliasCommand({ roleAlias: names.roleAlias })));
      const roleArn = found?.roleAliasDescription?.roleArn;
      if (roleArn === undefined)
        return bad(`there is no role alias ${names.roleAlias}`, deploy("CoalmineIdentity"));
      const role = await unlessNone(iam.send(new GetRoleCommand({ RoleName: nameOf(roleArn) })));
      if (role === undefined)
        return bad(
          `${names.roleAlias} names ${roleArn}, which does not exist`,
          "make the role again, or give the alias another one",
        );
      const trust = decodeURIComponent(role.Role?.AssumeRolePolicyDocument ?? "");
      return trust.includes("credentials.iot.amazonaws.com")
        ? fine(`${names.roleAlias} gives ${roleArn}`)
        : bad(
            `${roleArn} may not be assumed by credentials.iot.amazonaws.com`,
            "add that service to the role's trust policy",
          );
    },
  },
  {
    name: "what the device's role may do",
    why: "the role that AWS makes by default has no access to S3: artifacts are not downloaded, the deployment fails on the device, and one line of its log says why",
    look: async (account): Promise<Found> => {
      const { iot, iam, target, alsoNeeded } = account;
      const found = await unlessNone(iot.send(new DescribeRoleAliasCommand({ roleAlias: names.roleAlias })));
      const roleArn = found?.roleAliasDescription?.roleArn;
      if (roleArn === undefined)
        return bad(`there is no role alias ${names.roleAlias}`, deploy("CoalmineIdentity"));
      const { accountId, partition } = await callerOf(account);
      const needed = tokenExchangePolicy(
        { region: target.region, accountId, partition },
        { artifacts: target.artifactBucket, lake: target.lakeBucket },
      ).Statement.map(({ Action, Resource, Condition }) => ({
        actions: [...Action],
        resources: [...Resource],
        context: contextOf(Condition),
      }));
      if (alsoNeeded.length > 0) needed.push({ actions: [...alsoNeeded], resources: ["*"], context: [] });
      const denied = new Set<string>();
      for (const { actions, resources, context } of needed) {
        const { EvaluationResults = [] } = await iam.send(
          new SimulatePrincipalPolicyCommand({
            PolicySourceArn: roleArn,
            ActionNames: actions,
            ResourceArns: resources,
            ContextEntries: context,
          }),
        );
        for (const { EvalActionName = "", EvalResourceName = "", EvalDecision } of EvaluationResults)
          if (EvalDecision !== "allowed") denied.add(`${EvalActionName} on ${EvalResourceName}`);
      }
      return denied.size === 0
        ? fine(
            `${nameOf(roleArn)} may do all that components need: ${needed.flatMap(({ actions }) => actions).join(", ")}`,
          )
        : bad(
            `${nameOf(roleArn)} may not do ${[...denied].join(", ")}`,
            "add these to the role's policy; a bucket that is encrypted by a key of yours takes kms:Decrypt too",
          );
    },
  },
  {
    name: "what a device's certificate may do",
    why: "what is missing there is refused per message, which the device's log alone shows: deployments never arrive, or stay IN_PROGRESS",
    look: async (account): Promise<Found> => {
      const found = await unlessNone(
        account.iot.send(new GetPolicyCommand({ policyName: names.devicePolicy })),
      );
      if (found?.policyDocument === undefined)
        return bad(`there is no policy ${names.devicePolicy}`, deploy("CoalmineIdentity"));
      const { accountId, partition } = await callerOf(account);
      const has = allowedBy(Policy.parse(JSON.parse(found.policyDocument)));
      const wants = allowedBy(
        Policy.parse(devicePolicy({ region: account.target.region, accountId, partition })),
      );
      const missing = [...wants].filter((one) => !has.has(one));
      return missing.length === 0
        ? fine(
            `${names.devicePolicy} allows all ${wants.size} pairs of action and resource that a core device needs`,
          )
        : bad(
            `${names.devicePolicy} lacks ${missing.join(", ")}`,
            `${deploy("CoalmineIdentity")}; thing variables are not resolved for greengrass: actions, so these take *`,
          );
    },
  },
  {
    name: "thing groups",
    why: "a deployment goes to a group by its ARN: to one that is missing it is refused, and a group of that name elsewhere is another group",
    look: async ({ iot, target }): Promise<Found> => {
      const groups = [names.fleetGroup, target.mainGroup, target.canaryGroup];
      const missing: string[] = [];
      const dynamic: string[] = [];
      for (const thingGroupName of groups) {
        const found = await unlessNone(iot.send(new DescribeThingGroupCommand({ thingGroupName })));
        if (found === undefined) missing.push(thingGroupName);
        else if (found.queryString !== undefined) dynamic.push(thingGroupName);
      }
      if (missing.length > 0)
        return bad(`there is no thing group ${missing.join(", ")}`, deploy("CoalmineIdentity"));
      return dynamic.length > 0
        ? bad(
            `${dynamic.join(", ")} is a dynamic group, whose members nobody can set`,
            "remove it and make it a static one: the canary's members are drawn anew each time",
          )
        : fine(groups.join(", "));
    },
  },
  {
    name: "provisioning template",
    why: "a template that is off, or without its hook, answers a device with a denial that gives no reason, or lets anybody in",
    look: async ({ iot }): Promise<Found> => {
      const templateName = names.provisioningTemplate;
      const found = await unlessNone(iot.send(new DescribeProvisioningTemplateCommand({ templateName })));
      if (found === undefined) return bad(`there is no template ${templateName}`, deploy("CoalmineIdentity"));
      if (found.enabled !== true)
        return bad(
          `${templateName} is switched off`,
          `switch it on: aws iot update-provisioning-template --template-name ${templateName} --enabled`,
        );
      const hook = found.preProvisioningHook?.targetArn;
      return hook === undefined
        ? bad(`${templateName} asks nobody whether a device may come in`, deploy("CoalmineIdentity"))
        : fine(`${templateName} is on, and asks ${hook}`);
    },
  },
  {
    name: "buckets",
    why: "a bucket in another region answers with a redirect that a nucleus does not follow, and one of another account with a denial",
    look: async ({ s3, target }): Promise<Found> => {
      for (const Bucket of [target.artifactBucket, target.lakeBucket]) {
        const found = await unlessNone(s3.send(new GetBucketLocationCommand({ Bucket })));
        if (found === undefined) return bad(`there is no bucket ${Bucket}`, deploy("CoalmineLake"));
        const region = (found.LocationConstraint ?? "") === "" ? "us-east-1" : found.LocationConstraint;
        if (region !== target.region)
          return bad(
            `${Bucket} is in ${region}, and the fleet in ${target.region}`,
            "give the target a bucket of its own region",
          );
      }
      return fine(`${target.artifactBucket} and ${target.lakeBucket} are in ${target.region}`);
    },
  },
  {
    name: "versions of artifacts",
    why: "an artifact that is written over changes under the digest that a recipe states, and every device refuses it",
    look: async ({ s3, target: { artifactBucket: Bucket } }): Promise<Found> => {
      const found = await unlessNone(s3.send(new GetBucketVersioningCommand({ Bucket })));
      if (found === undefined) return bad(`there is no bucket ${Bucket}`, deploy("CoalmineLake"));
      return found.Status === "Enabled"
        ? fine(`${Bucket} keeps every version`)
        : advised(
            `${Bucket} keeps no versions`,
            `switch versioning on: aws s3api put-bucket-versioning --bucket ${Bucket} --versioning-configuration Status=Enabled`,
          );
    },
  },
];

/** `action on resource`, for each that is allowed. Denials are none of ours. */
function allowedBy({ Statement }: z.infer<typeof Policy>): Set<string> {
  const allowing = Statement.filter(({ Effect }) => Effect === "Allow");
  return new Set(
    allowing.flatMap(({ Action, Resource }) =>
      Action.flatMap((action) => Resource.map((resource) => `${action} on ${resource}`)),
    ),
  );
}

function nameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf("/") + 1);
}

/** A request as a statement's conditions want it: without one IAM takes each condition for unfulfilled. */
function contextOf(condition: Statement["Condition"]): ContextEntry[] {
  return Object.entries(condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([ContextKeyName, value]): ContextEntry => {
      const values = typeof value === "string" ? [value] : value;
      return operator.startsWith("ForAnyValue:") || operator.startsWith("ForAllValues:")
        ? { ContextKeyName, ContextKeyType: "stringList", ContextKeyValues: [...values] }
        : { ContextKeyName, ContextKeyType: "string", ContextKeyValues: values.slice(0, 1) };
    }),
  );
}
