import { App, Stack } from "aws-cdk-lib/core";
import { BucketName } from "@coalmine/contract";
import * as z from "zod";
import { DeliveryStack } from "./delivery/delivery-stack.ts";
import { IdentityStack } from "./identity/identity-stack.ts";

/** What an installation decides; the defaults are for synthesis without an account. */
const Context = z.object({
  account: z
    .string()
    .regex(/^\d{12}$/, "an AWS account has 12 digits")
    .default("123456789012"),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region looks like eu-central-1")
    .default("us-east-1"),
  connectionArn: z
    .string()
    .default(
      "arn:aws:codeconnections:us-east-1:123456789012:connection/00000000-0000-4000-8000-000000000000",
    ),
  /** Devices may put log-manager's dead letters there; without it they may not. */
  deadLetterBucket: BucketName.optional(),
  repositoryOwner: z.string().default("example"),
  repositoryName: z.string().default("coalmine"),
});
type Context = z.infer<typeof Context>;

/** Every stack of one region, made offline: nothing is looked up. */
export function app(
  context: Readonly<Record<string, unknown>>,
  outdir: string,
): { app: App; stacks: Stack[] } {
  const parsed = Context.safeParse(context);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(
      `context ${issue?.path.join(".") ?? ""} is ${JSON.stringify(context[String(issue?.path[0])])}: ${issue?.message ?? ""}. Give it as --context name=value.`,
    );
  }
  const { account, region, connectionArn, deadLetterBucket, repositoryOwner, repositoryName } = parsed.data;
  const root = new App({ outdir, analyticsReporting: false });
  const artifactBucket = `coalmine-artifacts-${region}-${account}`;
  const lakeBucket = `coalmine-lake-${region}-${account}`;
  const env = { account, region };
  const target = {
    name: "fleet",
    region,
    artifactBucket,
    lakeBucket,
    canaryGroup: "coalmine-canary",
    mainGroup: "coalmine-main",
  };
  const stacks = [
    new IdentityStack(root, "CoalmineIdentity", { env, artifactBucket, lakeBucket, deadLetterBucket }),
    new DeliveryStack(root, "CoalmineDelivery", {
      env,
      connectionArn,
      repositoryOwner,
      repositoryName,
      artifactBucket,
      targets: JSON.stringify([target]),
    }),
  ];
  return { app: root, stacks };
}
