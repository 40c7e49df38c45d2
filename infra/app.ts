import { App, Stack, Stage, Validations } from "aws-cdk-lib/core";
import { AwsSolutionsChecks } from "cdk-nag";
import type { Construct } from "constructs";
import type { Target } from "../pipeline/target.ts";
import { acknowledge } from "./acknowledged.ts";
import { ConsoleStack } from "./console/console-stack.ts";
import { type Environment, readContext } from "./context.ts";
import type { Source } from "./delivery/source.ts";
import { DeliveryStack } from "./delivery/delivery-stack.ts";
import { bundleFunctions } from "./functions/code.ts";
import { names } from "./identity/identity.ts";
import { IdentityStack } from "./identity/identity-stack.ts";
import { bucketNames } from "./lake/buckets.ts";
import { LakeStack } from "./lake/lake-stack.ts";
import { ResultsStack } from "./results/results-stack.ts";
import { RolloutStack } from "./rollout/rollout-stack.ts";
import { TelemetryStack } from "./telemetry/telemetry-stack.ts";

/** Every stack of every environment, made offline: nothing is looked up. */
export function app(
  context: Readonly<Record<string, unknown>>,
  outdir: string,
): { app: App; stacks: Stack[] } {
  const { environments, existingGroups } = readContext(context);
  const root = new App({
    outdir,
    analyticsReporting: false,
    // Access logs by a bucket's policy: ACLs are of another time.
    postCliContext: { "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true },
  });
  Validations.of(root).addPlugins(new AwsSolutionsChecks(root));
  const functions = bundleFunctions();
  try {
    const stacks = environments.flatMap((environment) => {
      const { name } = environment;
      // Stacks of an environment with a name are told apart by it.
      const scope = name === undefined ? root : new Stage(root, name);
      return stacksOf(scope, environment, existingGroups, functions.folder);
    });
    for (const stack of stacks) acknowledge(stack);
    return { app: root, stacks };
  } finally {
    // Each stack has taken its copy.
    functions.remove();
  }
}

function stacksOf(
  scope: Construct,
  environment: Environment,
  existingGroups: readonly string[],
  code: string,
): Stack[] {
  const { account, region: home, regions, deadLetterBucket, alertEmail, results } = environment;
  const fleets = [...new Set([home, ...regions])];
  const targets = fleets.map((region) => targetIn(account, region, region === home));
  const stacks: Stack[] = [];
  const made = <Made extends Stack>(stack: Made): Made => {
    stacks.push(stack);
    return stack;
  };
  for (const region of fleets) {
    const isHome = region === home;
    const env = { account, region };
    const named = (name: string): string => `Coalmine${name}${isHome ? "" : `-${region}`}`;
    const bucket = bucketNames(env);
    const identity = made(
      new IdentityStack(scope, named("Identity"), {
        env,
        code,
        isHome,
        hasPeople: results === "api" || (isHome && environment.console),
        artifactBucket: bucket.artifacts,
        lakeBucket: bucket.lake,
        deadLetterBucket,
        alertEmail,
        existingGroups: isHome ? existingGroups : [],
      }),
    );
    const lake = made(new LakeStack(scope, named("Lake"), { env, key: identity.key }));
    const target = targets.find((one) => one.region === region)?.name ?? region;
    const telemetry = made(new TelemetryStack(scope, named("Telemetry"), { env, code, target }));
    telemetry.addStackDependency(identity);
    const told = made(
      new ResultsStack(scope, named("Results"), {
        env,
        code,
        isHome,
        lakeBucket: bucket.lake,
        people: results === "api" ? identity.people : undefined,
      }),
    );
    told.addStackDependency(lake);
    if (!isHome) continue;
    const { executionMode, signers } = environment;
    const rollout = made(new RolloutStack(scope, "CoalmineRollout", { env, code, targets, signers }));
    rollout.addStackDependency(telemetry);
    const delivery = {
      env,
      source: sourceOf(environment),
      executionMode,
      signers,
      targets,
      siteBucket: environment.console ? bucket.site : undefined,
      key: identity.key,
      logs: lake.logs,
    };
    made(new DeliveryStack(scope, "CoalmineDelivery", delivery)).addStackDependency(rollout);
    const {
      console,
      consoleDomain: domain,
      consoleCertificateArn: certificateArn,
      consoleWebAclArn: webAclArn,
    } = environment;
    const { people } = identity;
    if (
      console &&
      people !== undefined &&
      domain !== undefined &&
      certificateArn !== undefined &&
      webAclArn !== undefined
    )
      made(
        new ConsoleStack(scope, "CoalmineConsole", {
          env,
          code,
          targets,
          people,
          siteBucket: bucket.site,
          domain,
          certificateArn,
          webAclArn,
        }),
      ).addStackDependency(rollout);
  }
  return stacks;
}

/** The first fleet is `fleet`; others are told apart by their region. */
function targetIn(account: string, region: string, isHome: boolean): Target {
  const { artifacts, lake } = bucketNames({ account, region });
  return {
    name: isHome ? "fleet" : `fleet-${region}`,
    region,
    artifactBucket: artifacts,
    lakeBucket: lake,
    canaryGroup: names.canaryGroup,
    mainGroup: names.mainGroup,
  };
}

function sourceOf({
  source,
  connectionArn = "",
  repositoryOwner: owner,
  repositoryName: name,
}: Environment): Source {
  return source === "codecommit"
    ? { kind: "codecommit", name }
    : { kind: "codeconnections", connectionArn, owner, name };
}
