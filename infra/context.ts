import { BucketName } from "@coalmine/contract";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { signersText } from "../pipeline/supply/signers.ts";
import { ExistingGroup, groupFault } from "./identity/existing-groups.ts";

/** Nothing is synthesized of a wrong context; the sentence says what to change. */
export class ContextError extends CoalmineError {
  readonly code = "ERR_SYNTH_CONTEXT";
}

/**
 * Where every service that the stacks use exists, in AWS's own partition.
 * @see https://docs.aws.amazon.com/general/latest/gr/greengrassv2.html
 */
const regions = [
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-south-1",
  "ap-southeast-1",
  "ap-southeast-2",
  "ca-central-1",
  "eu-central-1",
  "eu-west-1",
  "eu-west-2",
  "us-east-1",
  "us-east-2",
  "us-west-2",
] as const;
const Region = z.enum(regions, { error: `Greengrass V2 is in ${regions.join(", ")}` });
const Account = z.string().regex(/^\d{12}$/, "an AWS account has 12 digits");
const yes = z.enum(["true", "false"]).transform((word) => word === "true");
/** The sample's; nobody's. */
const SAMPLE = "123456789012";

/** A list as a person writes it in a shell. */
const words = z.string().transform((text) => text.split(",").filter((word) => word !== ""));

const shared = {
  account: Account.default(SAMPLE),
  /** The home region: pipeline, rollouts and console are there, and the first fleet. */
  region: Region.default("us-east-1"),
  /** Further regions with fleets, by commas. What a fleet measures stays in its region. */
  regions: words.pipe(z.array(Region)).default([]),
  source: z.enum(["codeconnections", "codecommit"]).default("codeconnections"),
  connectionArn: z
    .string()
    .regex(
      /^arn:aws:code(connections|star-connections):[a-z0-9-]+:\d{12}:connection\/[0-9a-f-]{36}$/,
      "the ARN of a connection that somebody has confirmed in the console",
    )
    .optional(),
  repositoryOwner: z.string().max(39).default("example"),
  repositoryName: z.string().max(100, "a repository's name has at most 100 characters").default("coalmine"),
  executionMode: z.enum(["SUPERSEDED", "QUEUED"]).default("SUPERSEDED"),
  /** Devices may put log-manager's dead letters there; without it they may not. */
  deadLetterBucket: BucketName.optional(),
  /** Whose signature a release needs: the list that `coalmine component key` prints, or a file of it. */
  signers: z
    .string()
    .transform((given, at) => {
      try {
        return signersText(given);
      } catch (failure) {
        at.addIssue({ code: "custom", message: messageOf(failure) });
        return z.NEVER;
      }
    })
    .optional(),
  /** Whoever is told of alarms and decisions by e-mail. */
  alertEmail: z.email().optional(),
  /** `api`: API Gateway, Cognito and a table; `s3`: files in the lake alone, which cost next to nothing. */
  results: z.enum(["api", "s3"]).default("api"),
  /** A console needs a name and a certificate of its own: CloudFront's own name takes TLS 1.0. */
  consoleDomain: z
    .string()
    .regex(/^([a-z0-9-]+\.)+[a-z]{2,}$/, "a domain name like console.example.com")
    .max(253)
    .optional(),
  consoleCertificateArn: z
    .string()
    .regex(
      /^arn:aws:acm:us-east-1:\d{12}:certificate\/.+$/,
      "CloudFront takes certificates of us-east-1 alone",
    )
    .optional(),
  consoleWebAclArn: z
    .string()
    .regex(/^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/.+$/, "a web ACL of the scope CLOUDFRONT")
    .optional(),
  /** Whether a console is made at all. */
  console: yes.default(true),
};
const Environment = z.strictObject({
  /** Before the names of its stacks; in no other name, since each environment has an account of its own. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,19}$/, "an environment's name has 1 to 20 of a-z and 0-9, a letter first")
    .optional(),
  ...shared,
});
export type Environment = z.infer<typeof Environment>;

const Context = Environment.extend({
  /** JSON: a list of environments, each with a name and an account of its own, over the values beside it. */
  environments: z.string().optional(),
  /** JSON: what DescribeThingGroup answers for groups that exist already. */
  existingGroups: z.string().optional(),
});

export interface Context {
  readonly environments: readonly Environment[];
  /** Groups that are there as the stack would make them: it leaves them alone. */
  readonly existingGroups: readonly string[];
}

/** @throws ContextError with the value and what is allowed. */
export function readContext(given: Readonly<Record<string, unknown>>): Context {
  const { environments, existingGroups, ...one } = parse(Context, given, "");
  const listed =
    environments === undefined
      ? undefined
      : json("environments", environments, z.array(z.record(z.string(), z.unknown())).min(1));
  const { environments: _, existingGroups: __, ...beside } = given;
  const read =
    listed === undefined
      ? [one]
      : listed.map((own, index) => parse(Environment, { ...beside, ...own }, `environments.${index}.`));
  if (listed !== undefined) refuseShared(read);
  const groups = json("existingGroups", existingGroups ?? "[]", z.array(ExistingGroup));
  const fault = groups.map(groupFault).find((sentence) => sentence !== undefined);
  if (fault !== undefined) throw new ContextError(fault);
  return {
    environments: read.map(completed),
    existingGroups: groups.map(({ thingGroupName }) => thingGroupName),
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, given: object, where: string): z.infer<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys")
    throw new ContextError(
      `context ${where}${issue.keys.join(", ")} is not known; known are ${Object.keys(Context.shape).join(", ")}.`,
    );
  const name = String(issue?.path[0] ?? "");
  const value = JSON.stringify(Object.entries(given).find(([key]) => key === name)?.[1]);
  throw new ContextError(
    `context ${where}${name} is ${value}: ${issue?.message ?? ""}. Give it as --context ${name}=value.`,
  );
}

function json<Schema extends z.ZodType>(name: string, text: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (failure) {
    throw new ContextError(
      `context ${name} cannot be read: ${text.slice(0, 100)}. It is a JSON list, as infra/context.ts says.`,
      { cause: failure },
    );
  }
}

/** Names of tables, roles and pipelines are the same in each environment. */
function refuseShared(environments: readonly Environment[]): void {
  for (const [index, { name, account }] of environments.entries()) {
    if (name === undefined)
      throw new ContextError(`context environments.${index}.name is missing: stacks are told apart by it.`);
    const other = environments.slice(0, index).find((one) => one.account === account || one.name === name);
    if (other !== undefined)
      throw new ContextError(
        `environments ${other.name ?? ""} and ${name} have the same ${other.name === name ? "name" : `account ${account}`}: give each an account of its own, so that a test never meets a patient's device.`,
      );
  }
}

/** An account is an installation: what would be wrong in it has no default there. */
function completed(environment: Environment): Environment {
  const { account, region } = environment;
  const inRegion = (service: string, resource: string): string =>
    `arn:aws:${service}:${region}:${account}:${resource}`;
  if (account === SAMPLE)
    return {
      connectionArn: inRegion("codeconnections", "connection/00000000-0000-4000-8000-000000000000"),
      consoleDomain: "console.example.com",
      consoleCertificateArn: `arn:aws:acm:us-east-1:${account}:certificate/00000000-0000-4000-8000-000000000000`,
      consoleWebAclArn: `arn:aws:wafv2:us-east-1:${account}:global/webacl/coalmine/00000000-0000-4000-8000-000000000000`,
      ...environment,
    };
  if (environment.source === "codeconnections" && environment.connectionArn === undefined)
    throw new ContextError(
      `context connectionArn is missing: CodePipeline of account ${account} has no way to the repository. Make a connection in the console of ${region} (Settings, Connections), or keep the repository in CodeCommit with --context source=codecommit.`,
    );
  const missing = (["consoleDomain", "consoleCertificateArn", "consoleWebAclArn"] as const).find(
    (name) => environment.console && environment[name] === undefined,
  );
  if (missing !== undefined)
    throw new ContextError(
      `context ${missing} is missing: the console is served under a name, a certificate and a web ACL of your own. Give it, or leave the console out with --context console=false.`,
    );
  if (environment.signers === undefined)
    throw new ContextError(
      `context signers is missing: the controller of account ${account} would roll out what nobody has signed. Make a key with \`npx coalmine component key signing.pem --who NAME > signers.json\`, and give the list with --context signers=signers.json.`,
    );
  return environment;
}
