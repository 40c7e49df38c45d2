import { CfnManagedPolicy, PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Statement } from "./statement.ts";

/**
 * Of a role's own policies together, and of one that stands beside it.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const policyCharactersMax = { inline: 10_240, managed: 6_144 } as const;

export interface Granted {
  readonly description: string;
  /** Who takes the role, such as `lambda`. */
  readonly service: string;
  readonly may: readonly Statement[];
}

/** A role that may do that and nothing else. What its own policy has no room for, as with many regions, stands in managed ones. */
export function grantedRole(scope: Construct, id: string, { description, service, may }: Granted): Role {
  const [own = [], ...others] = inParts(may, policyCharactersMax.inline);
  const role = new Role(scope, id, {
    description,
    assumedBy: new ServicePrincipal(`${service}.amazonaws.com`),
    inlinePolicies: { may: PolicyDocument.fromJson(documentOf(own)) },
  });
  for (const [index, statements] of others.entries())
    new CfnManagedPolicy(scope, `${id}More${index + 1}`, {
      description,
      roles: [role.roleName],
      policyDocument: documentOf(statements),
    });
  return role;
}

/** As few parts as there is room for, in their order; the first may have so many characters. */
export function inParts(may: readonly Statement[], firstMax: number): Statement[][] {
  const parts: Statement[][] = [[]];
  for (const statement of may) {
    const last = parts.at(-1) ?? [];
    const max = parts.length === 1 ? firstMax : policyCharactersMax.managed;
    if (charactersOf([...last, statement]) <= max) last.push(statement);
    else parts.push([statement]);
  }
  return parts;
}

function charactersOf(statements: readonly Statement[]): number {
  // What CDK knows only when it deploys is the partition; this is the longest.
  return JSON.stringify(documentOf(statements)).replaceAll(/\$\{Token\[[^\]]*\]\}/g, "aws-us-gov").length;
}

export function documentOf(Statement: readonly Statement[]): object {
  return { Version: "2012-10-17", Statement };
}
