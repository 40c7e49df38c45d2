/**
 * The one definition of the pipeline: the local CodePipeline and the synthesized one are both made from it. Work is a
 * command in a checkout of the push; a wait is answered by the rollout controller alone.
 */
export type StageDefinition =
  | { readonly kind: "work"; readonly name: string; readonly actions: readonly WorkAction[] }
  | { readonly kind: "wait"; readonly name: string; readonly waitsFor: string };

export interface WorkAction {
  readonly name: string;
  readonly commands: readonly string[];
  readonly timeoutMinutes: number;
  /** Left out where nobody has a bucket for the console's files: on one machine they are served from the checkout. */
  readonly onlyWithSite?: true;
}

export const PIPELINE_NAME = "coalmine";
export const SOURCE_STAGE = "Source";
export const SOURCE_ACTION = "Push";

export const stages: readonly StageDefinition[] = [
  {
    kind: "work",
    name: "Check",
    actions: [
      { name: "Install", commands: ["node pipeline/stages/install.ts"], timeoutMinutes: 15 },
      { name: "Check", commands: ["node pipeline/stages/main.ts check"], timeoutMinutes: 10 },
    ],
  },
  work("Build", 15),
  work("Rehearse", 15),
  {
    kind: "work",
    name: "Publish",
    actions: [
      { name: "Publish", commands: ["node pipeline/stages/main.ts publish"], timeoutMinutes: 15 },
      {
        name: "Console",
        commands: ["node pipeline/stages/main.ts console"],
        timeoutMinutes: 10,
        onlyWithSite: true,
      },
    ],
  },
  { kind: "wait", name: "Canary", waitsFor: "every canary device reports the release" },
  { kind: "wait", name: "Judge", waitsFor: "the soak to end with a verdict" },
  { kind: "wait", name: "Promote", waitsFor: "a person to promote, hold or roll back" },
  { kind: "wait", name: "Main", waitsFor: "the main fleet to follow in waves" },
  { kind: "wait", name: "Verify", waitsFor: "every device to report the release" },
];

/** Stages that only the main branch goes through: other branches stop after Rehearse. */
export const MAIN_BRANCH_ONLY_FROM = "Publish";

function work(name: string, timeoutMinutes: number): StageDefinition {
  const actions = [
    { name, commands: [`node pipeline/stages/main.ts ${name.toLowerCase()}`], timeoutMinutes },
  ];
  return { kind: "work", name, actions };
}

/** Those that a pipeline has, with or without a bucket for the console's files. */
export function actionsOf(actions: readonly WorkAction[], hasSite: boolean): readonly WorkAction[] {
  return actions.filter(({ onlyWithSite }) => hasSite || onlyWithSite !== true);
}

/** The definition in CodePipeline's own structure, for CreatePipeline and UpdatePipeline. */
export function declaration(branch: string, executionMode: "QUEUED" | "SUPERSEDED"): object {
  const end =
    branch === "main" ? stages.length : stages.findIndex(({ name }) => name === MAIN_BRANCH_ONLY_FROM);
  return {
    name: pipelineName(branch),
    executionMode,
    stages: [
      {
        name: SOURCE_STAGE,
        actions: [{ name: SOURCE_ACTION, actionTypeId: type("Source", "CodeStarSourceConnection") }],
      },
      ...stages.slice(0, end).map((stage) => ({
        name: stage.name,
        actions:
          stage.kind === "wait"
            ? [
                {
                  name: stage.name,
                  actionTypeId: type("Approval", "Manual"),
                  configuration: { CustomData: `waits for ${stage.waitsFor}` },
                },
              ]
            : actionsOf(stage.actions, false).map((action, index) => ({
                name: action.name,
                runOrder: index + 1,
                actionTypeId: type("Compute", "Commands"),
                commands: action.commands,
                timeoutInMinutes: action.timeoutMinutes,
              })),
      })),
    ],
  };
}

/** Each branch has a pipeline of its own, so that an experiment never holds up main. */
export function pipelineName(branch: string): string {
  return branch === "main"
    ? PIPELINE_NAME
    : `${PIPELINE_NAME}-${branch.replaceAll(/[^A-Za-z0-9.@\-_]/g, "-").slice(0, 80)}`;
}

function type(category: string, provider: string): object {
  return { category, owner: "AWS", provider, version: "1" };
}
