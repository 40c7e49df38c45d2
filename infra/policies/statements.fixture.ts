import type { Template } from "aws-cdk-lib/assertions";
import * as z from "zod";

const Statement = z.object({
  Action: z.union([z.string(), z.array(z.string())]).transform((action) => [action].flat()),
  Resource: z.unknown(),
});
const Document = z.object({ Statement: z.array(Statement) });

/** Every statement of a template: of its roles, and of policies that stand by themselves. */
export function statementsOf(one: Template): z.infer<typeof Statement>[] {
  const documents = [
    ...Object.values(one.findResources("AWS::IAM::Role")).flatMap((role) =>
      z
        .array(z.object({ PolicyDocument: Document }))
        .parse(role["Properties"].Policies ?? [])
        .map(({ PolicyDocument }) => PolicyDocument),
    ),
    ...Object.values(one.findResources("AWS::IAM::ManagedPolicy")).map((policy) =>
      Document.parse(policy["Properties"].PolicyDocument),
    ),
  ];
  return documents.flatMap((document) => document.Statement);
}
