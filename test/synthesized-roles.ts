import { CfnManagedPolicy, CfnRole } from "aws-cdk-lib/aws-iam";
import type { Stack } from "aws-cdk-lib/core";
import * as z from "zod";
import { compilePolicy, isAllowed, type CompiledStatement } from "../simulator/cloud/iot/policy-document.ts";
import type { Question } from "./recorded-calls.ts";

const Policies = z.array(
  z.object({ policyDocument: z.object({ Statement: z.array(z.record(z.string(), z.unknown())) }) }),
);
const Join = z.object({ "Fn::Join": z.tuple([z.string(), z.array(z.unknown())]) });
const Ref = z.object({ Ref: z.string() });

/** Construct path → what the role may do, of all roles of these stacks. */
export function rolesOf(stacks: readonly Stack[]): ReadonlyMap<string, readonly CompiledStatement[]> {
  const roles = new Map<string, readonly CompiledStatement[]>();
  for (const stack of stacks)
    for (const found of stack.node.findAll()) {
      if (found instanceof CfnManagedPolicy)
        roles.set(found.node.path, compiled([stack.resolve(found.policyDocument)]));
      if (!(found instanceof CfnRole)) continue;
      const policies = Policies.parse(stack.resolve(found.policies ?? []));
      roles.set(
        found.node.path.replace(/\/Resource$/, ""),
        compiled(policies.map(({ policyDocument }) => policyDocument)),
      );
    }
  return roles;
}

/** One document a statement: the local cloud's evaluator takes no longer ones than AWS IoT does. */
function compiled(documents: readonly unknown[]): CompiledStatement[] {
  return z
    .array(z.object({ Statement: z.array(z.record(z.string(), z.unknown())) }))
    .parse(documents)
    .flatMap(({ Statement }) => Statement)
    .filter((statement) => !isOfKey(statement))
    .flatMap((statement) =>
      [statement["Resource"]].flat().flatMap((resource) =>
        compilePolicy(
          JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ ...statement, Resource: textOf(resource) }],
          }),
        ),
      ),
    );
}

/** Keys are used by services in a caller's name: no code calls for them. */
function isOfKey({ Action }: Readonly<Record<string, unknown>>): boolean {
  return [Action].flat().every((action) => String(action).startsWith("kms:"));
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const join = Join.safeParse(value).data;
  if (join !== undefined) return join["Fn::Join"][1].map(textOf).join(join["Fn::Join"][0]);
  const name = Ref.parse(value).Ref;
  return name === "AWS::Partition" ? "aws" : `ref-${name}`;
}

export function mayAsk(statements: readonly CompiledStatement[], question: Question): boolean {
  const { action, resources, variables = {} } = question;
  return resources.every((resource) => isAllowed(statements, { action, resource, variables }));
}

/** Whether some resource is allowed for the action. */
export function mayAnywhere(statements: readonly CompiledStatement[], action: string): boolean {
  return statements
    .filter(({ effect }) => effect === "Allow")
    .some(({ actions }) =>
      isAllowed([{ effect: "Allow", actions, resources: ["*"], conditions: [] }], {
        action,
        resource: "x",
        variables: {},
      }),
    );
}
