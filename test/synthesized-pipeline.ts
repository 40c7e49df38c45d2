import type { Template } from "aws-cdk-lib/assertions";
import * as z from "zod";

const Words = z.union([z.string(), z.looseObject({})]);
const Action = z.object({
  Name: z.string(),
  ActionTypeId: z.object({
    Category: z.enum(["Source", "Build", "Approval"]),
    Owner: z.string(),
    Provider: z.string(),
    Version: z.string(),
  }),
  RunOrder: z.int().default(1),
  Configuration: z.record(z.string(), z.unknown()).default({}),
});
const Pipeline = z.object({
  Properties: z.object({
    ExecutionMode: z.enum(["QUEUED", "SUPERSEDED"]),
    Stages: z.array(z.object({ Name: z.string(), Actions: z.array(Action) })),
  }),
});
const Project = z.object({
  Properties: z.object({
    TimeoutInMinutes: z.int(),
    Source: z.object({ BuildSpec: z.string() }),
    Environment: z.object({
      EnvironmentVariables: z.array(z.object({ Name: z.string(), Value: Words })).default([]),
    }),
  }),
});
const Variables = z.array(z.object({ name: z.string(), value: z.string(), type: z.literal("PLAINTEXT") }));
const commands = z.object({ commands: z.array(z.string()) }).optional();
const BuildSpec = z.object({
  version: z.literal("0.2"),
  phases: z.object({ install: z.looseObject({}).optional(), pre_build: commands, build: commands }),
  artifacts: z.object({ files: z.tuple([z.literal("**/*")]), "exclude-paths": z.array(z.string()) }),
});

/** A pipeline as CloudFormation would make it, in the words of CreatePipeline. */
export interface SynthesizedPipeline {
  readonly declaration: object;
  /** By `stage/action`: what the commands find in the environment, of the project and of the action itself. */
  readonly environments: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What no action hands on to the next one. */
  readonly excluded: readonly string[];
}

/**
 * Reads pipeline and build specifications out of a synthesized template. CodeBuild runs all commands of a specification
 * in one shell and stops at the first that fails; `instead` gives a command that a test has no time for another one.
 */
export function synthesizedPipeline(
  template: Template,
  name: string,
  instead: Readonly<Record<string, string>>,
): SynthesizedPipeline {
  const [found] = Object.values(template.findResources("AWS::CodePipeline::Pipeline"));
  const { Stages, ExecutionMode } = Pipeline.parse(found).Properties;
  const projects = template.findResources("AWS::CodeBuild::Project");
  const environments = new Map<string, Record<string, string>>();
  const excluded = new Set<string>();
  const actionOf = (stage: string, action: z.infer<typeof Action>): object => {
    const { Category, Owner, Provider, Version } = action.ActionTypeId;
    const shared = { name: action.Name, runOrder: action.RunOrder };
    if (Category !== "Build")
      return {
        ...shared,
        actionTypeId: { category: Category, owner: Owner, provider: Provider, version: Version },
        ...(Category === "Approval" ? { configuration: action.Configuration } : {}),
      };
    const { Ref } = z.object({ Ref: z.string() }).parse(action.Configuration["ProjectName"]);
    const project = Project.parse(projects[Ref]).Properties;
    const { phases, artifacts } = BuildSpec.parse(JSON.parse(project.Source.BuildSpec));
    const own = Variables.parse(JSON.parse(z.string().parse(action.Configuration["EnvironmentVariables"])));
    environments.set(`${stage}/${action.Name}`, {
      ...Object.fromEntries(
        project.Environment.EnvironmentVariables.flatMap(({ Name, Value }) =>
          typeof Value === "string" ? [[Name, Value]] : [],
        ),
      ),
      ...Object.fromEntries(own.map(({ name: variable, value }) => [variable, value])),
    });
    for (const path of artifacts["exclude-paths"]) excluded.add(path.replace(/\/\*\*$/, ""));
    const all = [...(phases.pre_build?.commands ?? []), ...(phases.build?.commands ?? [])];
    return {
      ...shared,
      actionTypeId: { category: "Compute", owner: "AWS", provider: "Commands", version: "1" },
      commands: [["set -e", ...all.map((command) => instead[command] ?? command)].join("\n")],
      timeoutInMinutes: project.TimeoutInMinutes,
    };
  };
  const stages = Stages.map(({ Name, Actions }) => ({
    name: Name,
    actions: Actions.map((action) => actionOf(Name, action)),
  }));
  const declaration = {
    name,
    roleArn: "arn:aws:iam::123456789012:role/pipeline",
    executionMode: ExecutionMode,
    stages,
  };
  return { declaration, environments, excluded: [...excluded] };
}
