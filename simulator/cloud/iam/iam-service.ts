import * as z from "zod";
import { roleMay } from "../authorize.ts";
import type { RoleAlias } from "../iot/role-aliases.ts";
import { ServiceError, type Input, type Output, type Place, type Service } from "../service.ts";
import type { Table } from "../store/store.ts";

const POLICY_NAME = "local-device-role";
/** Operations that IAM knows by another name. */
const actionOf: Readonly<Record<string, string>> = {
  HeadObject: "GetObject",
  ListObjectsV2: "ListBucket",
  CreateMultipartUpload: "PutObject",
  UploadPart: "PutObject",
  CompleteMultipartUpload: "PutObject",
};
const Simulation = z.object({
  PolicySourceArn: z.string(),
  ActionNames: z
    .array(z.string().regex(/^[\w-]+:[\w*]+$/))
    .min(1)
    .max(100),
  ResourceArns: z.array(z.string()).min(1).max(100).default(["*"]),
});

/** Every role may do the same here: what `authorize.ts` lets a device's role do, told as IAM tells it. */
const allowed: ReadonlySet<string> = new Set([
  ...Object.entries(roleMay).flatMap(([service, operations]) =>
    [...operations].map((operation) => `${service}:${actionOf[operation] ?? operation}`),
  ),
  // There are no keys here: whoever may read an object reads it.
  "kms:Decrypt",
  "kms:GenerateDataKey",
]);

/** IAM, read only: the roles that IoT role aliases name, and their one policy. */
export function iamService(options: {
  readonly roleAliases: Table<RoleAlias>;
  readonly place: Place;
}): Service {
  const { roleAliases, place } = options;
  const aliasOf = (roleName: unknown): RoleAlias => {
    const found = [...roleAliases.entries()].find(([, { roleArn }]) => nameOf(roleArn) === roleName);
    if (found === undefined) throw noSuchEntity(`The role with name ${String(roleName)} cannot be found.`);
    return found[1];
  };
  return {
    signingName: "iam",
    operations: {
      GetRole: ({ RoleName }: Input) => {
        const { roleArn, createdAt } = aliasOf(RoleName);
        return {
          Role: {
            Path: roleArn.slice(roleArn.indexOf("/"), roleArn.lastIndexOf("/") + 1),
            RoleName,
            RoleId: `AROA${String(RoleName)
              .toUpperCase()
              .replaceAll(/[^A-Z0-9]/g, "")
              .padEnd(17, "0")
              .slice(0, 17)}`,
            Arn: roleArn,
            CreateDate: createdAt,
            AssumeRolePolicyDocument: documentText([
              {
                Effect: "Allow",
                Principal: { Service: "credentials.iot.amazonaws.com" },
                Action: "sts:AssumeRole",
              },
            ]),
          },
        };
      },
      ListRolePolicies: ({ RoleName }: Input) => {
        aliasOf(RoleName);
        return { PolicyNames: [POLICY_NAME], IsTruncated: false };
      },
      GetRolePolicy: ({ RoleName, PolicyName }: Input) => {
        aliasOf(RoleName);
        if (PolicyName !== POLICY_NAME)
          throw noSuchEntity(`The role policy with name ${String(PolicyName)} cannot be found.`);
        const PolicyDocument = documentText([{ Effect: "Allow", Action: [...allowed], Resource: "*" }]);
        return { RoleName, PolicyName, PolicyDocument };
      },
      ListAttachedRolePolicies: ({ RoleName }: Input) => {
        aliasOf(RoleName);
        return { AttachedPolicies: [], IsTruncated: false };
      },
      SimulatePrincipalPolicy: (input): Output => {
        const asked = Simulation.safeParse(input).data;
        if (asked === undefined)
          throw new ServiceError("InvalidInputException", 400, "ActionNames must be like service:Action.");
        const isOperator = asked.PolicySourceArn === `arn:aws:iam::${place.accountId}:user/operator`;
        if (!isOperator) aliasOf(nameOf(asked.PolicySourceArn));
        return {
          EvaluationResults: asked.ActionNames.flatMap((EvalActionName) =>
            asked.ResourceArns.map((EvalResourceName) => ({
              EvalActionName,
              EvalResourceName,
              EvalDecision: isOperator || allowed.has(EvalActionName) ? "allowed" : "implicitDeny",
              MatchedStatements: [],
              MissingContextValues: [],
            })),
          ),
          IsTruncated: false,
        };
      },
    },
  };
}

function nameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf("/") + 1);
}

/** IAM tells documents in percent-encoding. */
function documentText(Statement: readonly object[]): string {
  return encodeURIComponent(JSON.stringify({ Version: "2012-10-17", Statement }));
}

function noSuchEntity(message: string): ServiceError {
  return new ServiceError("NoSuchEntityException", 404, message);
}
