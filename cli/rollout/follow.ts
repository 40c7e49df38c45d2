import {
  CodePipelineClient,
  GetPipelineExecutionCommand,
  ListActionExecutionsCommand,
  ListPipelineExecutionsCommand,
} from "@aws-sdk/client-codepipeline";
import type { Clock } from "@coalmine/ports";
import { PIPELINE_NAME, stages } from "../../pipeline/definition.ts";

/** How one execution of the pipeline stands. */
export interface ExecutionState {
  readonly status: string;
  readonly statusSummary: string;
  readonly stages: readonly StageState[];
}

export interface StageState {
  readonly name: string;
  readonly status: "InProgress" | "Succeeded" | "Failed";
  readonly summary: string;
  readonly seconds: number;
}

/** The execution that a push of this commit started. */
export async function executionOf(
  codepipeline: CodePipelineClient,
  commit: string,
): Promise<string | undefined> {
  const { pipelineExecutionSummaries = [] } = await codepipeline.send(
    new ListPipelineExecutionsCommand({ pipelineName: PIPELINE_NAME }),
  );
  return pipelineExecutionSummaries.find(({ sourceRevisions }) => sourceRevisions?.[0]?.revisionId === commit)
    ?.pipelineExecutionId;
}

export async function stateOf(
  codepipeline: CodePipelineClient,
  pipelineExecutionId: string,
  clock: Clock,
): Promise<ExecutionState> {
  const { pipelineExecution } = await codepipeline.send(
    new GetPipelineExecutionCommand({ pipelineName: PIPELINE_NAME, pipelineExecutionId }),
  );
  const { actionExecutionDetails = [] } = await codepipeline.send(
    new ListActionExecutionsCommand({ pipelineName: PIPELINE_NAME, filter: { pipelineExecutionId } }),
  );
  return {
    status: pipelineExecution?.status ?? "InProgress",
    statusSummary: pipelineExecution?.statusSummary ?? "",
    stages: stages.flatMap(({ name }): StageState[] => {
      const actions = actionExecutionDetails.filter(({ stageName }) => stageName === name);
      if (actions.length === 0) return [];
      const status = actions.some((action) => action.status === "Failed")
        ? "Failed"
        : actions.every((action) => action.status === "Succeeded")
          ? "Succeeded"
          : "InProgress";
      const from = Math.min(...actions.map(({ startTime }) => startTime?.getTime() ?? clock.now()));
      const to =
        status === "InProgress"
          ? clock.now()
          : Math.max(...actions.map(({ lastUpdateTime }) => lastUpdateTime?.getTime() ?? 0));
      const last = actions
        .toSorted((a, b) => (a.lastUpdateTime?.getTime() ?? 0) - (b.lastUpdateTime?.getTime() ?? 0))
        .at(-1);
      return [
        {
          name,
          status,
          summary: last?.output?.executionResult?.externalExecutionSummary ?? "",
          seconds: (to - from) / 1000,
        },
      ];
    }),
  };
}
