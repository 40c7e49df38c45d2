import { invariant } from "@coalmine/runtime";
import * as z from "zod";

/** One call that code has made through an AWS client. */
export interface Call {
  readonly client: string;
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Of any AWS client, what recording needs. */
interface Recordable {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { input: object }) => Promise<unknown>,
        context: { clientName?: string; commandName?: string },
      ) => (args: { input: object }) => Promise<unknown>,
      options: { step: "initialize"; name: string },
    ): void;
    remove(name: string): boolean;
  };
}

const NAME = "recorded";

/** Writes down what is called through these clients until `stop`. The calls are made as ever. */
export function recordCalls(clients: readonly object[]): { readonly calls: Call[]; stop(): void } {
  const calls: Call[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each client's own stack has its inputs' types.
  const stacks = clients.map((client) => (client as Recordable).middlewareStack);
  for (const stack of stacks)
    stack.add(
      (next, { clientName = "", commandName = "" }) =>
        (args) => {
          calls.push({ client: clientName, command: commandName, input: { ...args.input } });
          return next(args);
        },
      { step: "initialize", name: NAME },
    );
  return { calls, stop: () => stacks.forEach((stack) => stack.remove(NAME)) };
}

/** What IAM is asked when a call comes: the action, and each resource that it has to be allowed for. */
export interface Question {
  readonly action: string;
  readonly resources: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
}

interface Where {
  readonly region: string;
  readonly accountId: string;
}
type Text = Readonly<Record<string, string>>;
/** Operations that IAM knows by another name. */
const actionOf: Text = {
  HeadBucket: "ListBucket",
  HeadObject: "GetObject",
  ListObjectsV2: "ListBucket",
};
/** Operations that whoever has credentials may call. */
const free = new Set(["sts:GetCallerIdentity"]);
/** Services that sign with another name than IAM knows them by. */
const signed: Text = { monitoring: "cloudwatch", iotdata: "iot" };
const prefixes: Text = {
  CloudWatchClient: "cloudwatch",
  CloudWatchLogsClient: "logs",
  CodePipelineClient: "codepipeline",
  DynamoDBClient: "dynamodb",
  GreengrassV2Client: "greengrass",
  IoTClient: "iot",
  IoTDataPlaneClient: "iot",
  S3Client: "s3",
  SNSClient: "sns",
};

export function questionsOf({ client, command, input }: Call, where: Where): Question[] {
  const service = prefixes[client];
  invariant(service !== undefined, `nobody has said what IAM calls ${client}`);
  return questionsAbout(service, command.replace(/Command$/, ""), input, where);
}

/** The same of a call as it comes to a service, by the name that it is signed for. */
export function questionsAt(
  signedFor: string,
  operation: string,
  input: Call["input"],
  where: Where,
): Question[] {
  return questionsAbout(signed[signedFor] ?? signedFor, operation, input, where);
}

function questionsAbout(service: string, operation: string, input: Call["input"], where: Where): Question[] {
  if (operation === "TransactWriteItems")
    return z
      .array(z.object({ Put: z.record(z.string(), z.unknown()) }))
      .parse(input["TransactItems"])
      .flatMap(({ Put }) => questionsAbout(service, "PutItem", Put, where));
  const action = `${service}:${actionOf[operation] ?? operation}`;
  if (free.has(action)) return [];
  if (action === "greengrass:CreateComponentVersion") {
    const recipe = Buffer.from(z.instanceof(Uint8Array).parse(input["inlineRecipe"])).toString("utf8");
    const name = /ComponentName"?:\s*"?([\w.]+)/.exec(recipe)?.[1] ?? "";
    return [
      { action, resources: [`arn:aws:${service}:${where.region}:${where.accountId}:components:${name}`] },
    ];
  }
  const text: Text = Object.fromEntries(
    Object.entries(input).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
  if (action === "cloudwatch:PutMetricData")
    return [{ action, resources: ["*"], variables: { "cloudwatch:namespace": text["Namespace"] ?? "" } }];
  return [{ action, resources: resourcesOf(service, text, where) }, ...dependent(action, text)];
}

/** A deployment is made by jobs of AWS IoT, in the name of who deploys. */
function dependent(action: string, { targetArn = "" }: Text): Question[] {
  if (action !== "greengrass:CreateDeployment") return [];
  return [
    { action: "iot:CreateJob", resources: [targetArn] },
    { action: "iot:DescribeThingGroup", resources: [targetArn] },
  ];
}

function resourcesOf(service: string, input: Text, { region, accountId }: Where): string[] {
  const arn = (resource: string): string => `arn:aws:${service}:${region}:${accountId}:${resource}`;
  const named = (name: string, resource: (value: string) => string): string[] => {
    const value = input[name];
    return value === undefined ? [] : [value.startsWith("arn:") ? value : resource(value)];
  };
  const of: Readonly<Record<string, () => string[]>> = {
    firehose: () => named("DeliveryStreamName", (name) => arn(`deliverystream/${name}`)),
    dynamodb: () => named("TableName", (name) => arn(`table/${name}`)),
    s3: () =>
      named("Bucket", (bucket) => `arn:aws:s3:::${[bucket, ...named("Key", (key) => key)].join("/")}`),
    // Of alarms that a question names by their state alone.
    cloudwatch: () => [arn("alarm:*")],
    // Groups that are listed by a prefix are all groups.
    logs: () => [
      [
        arn(`log-group:${input["logGroupName"] ?? "*"}`),
        ...named("logStreamName", (stream) => `log-stream:${stream}`),
      ].join(":"),
    ],
    iam: () => [
      ...named("RoleName", (name) => `arn:aws:iam::${accountId}:role/${name}`),
      ...named("PolicySourceArn", (role) => role),
    ],
    sns: () => named("TopicArn", (topic) => topic),
    codepipeline: () => {
      const pipeline = input["name"] ?? input["pipelineName"] ?? "";
      const stage = input["stageName"];
      return [arn(stage === undefined ? pipeline : `${pipeline}/${stage}/${input["actionName"] ?? ""}`)];
    },
    greengrass: () => [
      ...named("arn", (component) => component),
      ...named("deploymentId", (id) => arn(`deployments:${id}`)),
      ...named("coreDeviceThingName", (thing) => arn(`coreDevices:${thing}`)),
    ],
    iot: () => [
      ...named("thingName", (thing) => arn(`thing/${thing}`)),
      ...named("thingGroupName", (group) => arn(`thinggroup/${group}`)),
      ...named("certificateId", (id) => arn(`cert/${id}`)),
      ...named("policyName", (name) => arn(`policy/${name}`)),
      ...named("roleAlias", (name) => arn(`rolealias/${name}`)),
      ...named("jobId", (id) => arn(`job/${id}`)),
      ...named("templateName", (name) => arn(`provisioningtemplate/${name}`)),
      ...named("topic", (topic) => arn(`topic/${topic}`)),
      ...named("principal", (principal) => principal),
      ...named("target", (target) => target),
    ],
  };
  const resources = of[service]?.() ?? [];
  return resources.length === 0 ? ["*"] : resources;
}
