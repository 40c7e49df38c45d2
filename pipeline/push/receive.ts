import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  CreatePipelineCommand,
  GetPipelineCommand,
  GetPipelineStateCommand,
  ListPipelineExecutionsCommand,
  PipelineNotFoundException,
  StartPipelineExecutionCommand,
  UpdatePipelineCommand,
  type CodePipelineClient,
  type PipelineDeclaration,
} from "@aws-sdk/client-codepipeline";
import * as z from "zod";
import { git } from "./repository.ts";

/** What a pushed commit's `pipeline/definition.ts` gives. It imports nothing, so it can be read by itself. */
const Definition = z.object({
  declaration: z.custom<(branch: string, mode: string) => PipelineDeclaration>(
    (value) => typeof value === "function",
  ),
  SOURCE_ACTION: z.string(),
});

export interface Push {
  readonly branch: string;
  readonly commit: string;
}

const ZERO = /^0+$/;

/** The lines that git gives a `post-receive` hook; removed branches and tags are nobody's release. */
export function parsePushes(text: string): Push[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(" "))
    .flatMap(([, commit = "", ref = ""]) =>
      ref.startsWith("refs/heads/") && !ZERO.test(commit)
        ? [{ branch: ref.slice("refs/heads/".length), commit }]
        : [],
    );
}

/** Starts the pipeline of the branch by the pushed commit's own definition; gives what the pusher should read. */
export async function receive(
  repository: string,
  push: Push,
  codepipeline: CodePipelineClient,
  roleArn: string,
): Promise<string[]> {
  const definition = await definitionOf(repository, push.commit);
  const wanted: PipelineDeclaration = { ...definition.declaration(push.branch, "SUPERSEDED"), roleArn };
  const name = wanted.name ?? "";
  const said: string[] = [];
  const current = await codepipeline.send(new GetPipelineCommand({ name })).catch((failure: unknown) => {
    if (failure instanceof PipelineNotFoundException) return undefined;
    throw failure;
  });
  if (current === undefined) {
    await codepipeline.send(new CreatePipelineCommand({ pipeline: wanted }));
    said.push(`pipeline ${name} is new: ${stageNames(wanted).join(" → ")}`);
  } else {
    const changes = differences(current.pipeline, wanted);
    if (changes.length > 0) {
      await codepipeline.send(new UpdatePipelineCommand({ pipeline: wanted }));
      said.push(`this push changes the pipeline itself: ${changes.join("; ")}`);
    }
    said.push(...(await running(name, codepipeline)));
  }
  const { pipelineExecutionId } = await codepipeline.send(
    new StartPipelineExecutionCommand({
      name,
      sourceRevisions: [
        { actionName: definition.SOURCE_ACTION, revisionType: "COMMIT_ID", revisionValue: push.commit },
      ],
    }),
  );
  said.push(`${push.commit.slice(0, 12)} on ${push.branch} is on its way: execution ${pipelineExecutionId}`);
  return said;
}

async function definitionOf(repository: string, commit: string): Promise<z.infer<typeof Definition>> {
  const folder = mkdtempSync(join(tmpdir(), "coalmine-definition-"));
  try {
    const file = join(folder, "definition.ts");
    writeFileSync(file, git(repository, "show", `${commit}:pipeline/definition.ts`));
    const module: unknown = await import(pathToFileURL(file).href);
    return Definition.parse({ ...(typeof module === "object" ? module : {}) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What already runs, so that nobody is surprised by what this push does to it. */
async function running(name: string, codepipeline: CodePipelineClient): Promise<string[]> {
  const { pipelineExecutionSummaries = [] } = await codepipeline.send(
    new ListPipelineExecutionsCommand({ pipelineName: name, maxResults: 5 }),
  );
  const active = pipelineExecutionSummaries.filter(({ status }) => status === "InProgress");
  if (active.length === 0) return [];
  const { stageStates = [] } = await codepipeline.send(new GetPipelineStateCommand({ name }));
  return active.map(({ pipelineExecutionId, sourceRevisions }) => {
    const stage = stageStates.find(
      (state) =>
        state.latestExecution?.pipelineExecutionId === pipelineExecutionId &&
        state.latestExecution?.status === "InProgress",
    )?.stageName;
    const commit = sourceRevisions?.[0]?.revisionId?.slice(0, 12) ?? pipelineExecutionId;
    return `${commit} is still ${stage === undefined ? "between stages" : `in ${stage}`}; this push waits for that stage, and takes its place if it only waits`;
  });
}

function differences(before: PipelineDeclaration | undefined, after: PipelineDeclaration): string[] {
  const names = (declaration: PipelineDeclaration | undefined) =>
    declaration === undefined ? [] : stageNames(declaration);
  const added = names(after).filter((stage) => !names(before).includes(stage));
  const removed = names(before).filter((stage) => !names(after).includes(stage));
  const commands = (declaration: PipelineDeclaration | undefined, stage: string): string =>
    JSON.stringify(
      declaration?.stages
        ?.find(({ name }) => name === stage)
        ?.actions?.map(({ name, commands }) => [name, commands ?? []]),
    );
  const changed = names(after).filter(
    (stage) => names(before).includes(stage) && commands(before, stage) !== commands(after, stage),
  );
  return [
    ...added.map((stage) => `stage ${stage} is new`),
    ...removed.map((stage) => `stage ${stage} is gone`),
    ...changed.map((stage) => `stage ${stage} runs other commands`),
  ];
}

function stageNames(declaration: PipelineDeclaration): string[] {
  return (declaration.stages ?? []).map(({ name }) => name ?? "");
}
