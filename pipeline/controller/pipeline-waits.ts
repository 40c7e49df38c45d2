import {
  ApprovalAlreadyCompletedException,
  GetPipelineExecutionCommand,
  GetPipelineStateCommand,
  paginateListActionExecutions,
  InvalidApprovalTokenException,
  PipelineNotFoundException,
  PutApprovalResultCommand,
  type CodePipelineClient,
} from "@aws-sdk/client-codepipeline";
import { waitStages, type WaitStage } from "../rollout/action.ts";

/** A wait stage of the pipeline that is open, and of which execution. */
export interface OpenWait {
  readonly stage: WaitStage;
  readonly action: string;
  readonly executionId: string;
  readonly token: string;
}

export interface PipelineExecution {
  readonly commit: string;
  readonly status: string;
  readonly mode: "queue" | "supersede";
}

/** Of an approval's summary. @see https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ApprovalResult.html */
const SUMMARY_CHARACTERS_MAX = 512;

/** The wait stages of the main pipeline, which the controller alone answers. */
export class PipelineWaits {
  readonly #client: CodePipelineClient;
  readonly #pipeline: string;

  constructor(client: CodePipelineClient, pipeline: string) {
    this.#client = client;
    this.#pipeline = pipeline;
  }

  /** None where there is no pipeline yet. */
  async open(): Promise<OpenWait[]> {
    try {
      const { stageStates = [] } = await this.#client.send(
        new GetPipelineStateCommand({ name: this.#pipeline }),
      );
      return stageStates.flatMap(({ stageName, latestExecution, actionStates = [] }) => {
        const stage = waitStages.find((one) => one === stageName);
        const executionId = latestExecution?.pipelineExecutionId;
        if (stage === undefined || executionId === undefined) return [];
        return actionStates.flatMap(({ actionName, latestExecution: run }) =>
          run?.status === "InProgress" && run.token !== undefined
            ? [{ stage, action: actionName ?? stage, executionId, token: run.token }]
            : [],
        );
      });
    } catch (failure) {
      if (failure instanceof PipelineNotFoundException) return [];
      throw failure;
    }
  }

  /** Whether the stage has been answered for this execution. */
  async isAnswered(stage: WaitStage, pipelineExecutionId: string): Promise<boolean> {
    const pages = paginateListActionExecutions(
      { client: this.#client },
      { pipelineName: this.#pipeline, filter: { pipelineExecutionId } },
    );
    for await (const { actionExecutionDetails = [] } of pages) {
      const run = actionExecutionDetails.find(({ stageName }) => stageName === stage);
      if (run !== undefined) return run.status !== "InProgress";
    }
    return false;
  }

  async execution(pipelineExecutionId: string): Promise<PipelineExecution> {
    const { pipelineExecution } = await this.#client.send(
      new GetPipelineExecutionCommand({ pipelineName: this.#pipeline, pipelineExecutionId }),
    );
    return {
      commit: pipelineExecution?.artifactRevisions?.[0]?.revisionId ?? "",
      status: pipelineExecution?.status ?? "",
      mode: pipelineExecution?.executionMode === "SUPERSEDED" ? "supersede" : "queue",
    };
  }

  /** False where the wait has gone meanwhile: answered by another controller, or its execution ended. */
  async answer(wait: OpenWait, approved: boolean, sentence: string): Promise<boolean> {
    try {
      await this.#client.send(
        new PutApprovalResultCommand({
          pipelineName: this.#pipeline,
          stageName: wait.stage,
          actionName: wait.action,
          token: wait.token,
          result: {
            status: approved ? "Approved" : "Rejected",
            summary:
              sentence.length > SUMMARY_CHARACTERS_MAX
                ? `${sentence.slice(0, SUMMARY_CHARACTERS_MAX - 1)}…`
                : sentence,
          },
        }),
      );
      return true;
    } catch (failure) {
      if (
        failure instanceof InvalidApprovalTokenException ||
        failure instanceof ApprovalAlreadyCompletedException
      )
        return false;
      throw failure;
    }
  }
}
