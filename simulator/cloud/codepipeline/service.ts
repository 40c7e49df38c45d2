import { ServiceError, type Input, type Place, type Service } from "../service.ts";
import type { Store } from "../store/store.ts";
import type { PipelineEngine } from "./engine.ts";
import { type ActionRun, Declaration, type Execution, stageStatus } from "./execution.ts";

interface Pipeline {
  readonly declaration: Declaration;
  readonly version: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** CodePipeline as far as a rollout needs it. @see https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html */
export function codePipelineService(
  store: Store,
  engine: PipelineEngine,
  place: Place,
  now: () => number,
): Service {
  const pipelines = store.table<Pipeline>("codepipeline-pipelines");
  const pipelineOf = (name: string): Pipeline => {
    const pipeline = pipelines.get(name);
    if (pipeline === undefined)
      throw new ServiceError(
        "PipelineNotFoundException",
        400,
        `Account '${place.accountId}' does not have a pipeline with name '${name}'`,
      );
    return pipeline;
  };
  const executionOf = (name: string, id: string): Execution => {
    const execution = engine.find(id);
    if (execution?.pipeline !== name)
      throw new ServiceError(
        "PipelineExecutionNotFoundException",
        400,
        `No execution ${id} of pipeline '${name}'`,
      );
    return execution;
  };
  return {
    signingName: "codepipeline",
    operations: {
      CreatePipeline: ({ pipeline }: Input) => {
        const declaration = parse(pipeline);
        if (pipelines.get(declaration.name) !== undefined)
          throw new ServiceError(
            "PipelineNameInUseException",
            400,
            `A pipeline with the name '${declaration.name}' already exists`,
          );
        return save(declaration, 1, now());
      },
      UpdatePipeline: ({ pipeline }: Input) => {
        const declaration = parse(pipeline);
        const old = pipelineOf(declaration.name);
        return save(declaration, old.version + 1, old.createdMs);
      },
      GetPipeline: ({ name }: Input) => {
        const { declaration, version, createdMs, updatedMs } = pipelineOf(name);
        return {
          pipeline: { ...declaration, version },
          metadata: { created: new Date(createdMs), updated: new Date(updatedMs), pipelineArn: arn(name) },
        };
      },
      ListPipelines: () => ({
        pipelines: [...pipelines.entries()].map(([name, { version, createdMs, updatedMs }]) => ({
          name,
          version,
          created: new Date(createdMs),
          updated: new Date(updatedMs),
        })),
      }),
      StartPipelineExecution: ({ name, sourceRevisions }: Input) => {
        const { declaration, version } = pipelineOf(name);
        const source = declaration.stages[0]?.actions[0]?.name ?? "";
        const given = sourceRevisions?.find((one: Input) => one.actionName === source);
        if (given === undefined)
          throw new ServiceError(
            "ValidationException",
            400,
            `a revision for the source action '${source}' is needed: this pipeline's source is a push`,
          );
        return {
          pipelineExecutionId: engine.start(name, version, declaration, {
            actionName: source,
            revisionId: given.revisionValue,
          }).id,
        };
      },
      StopPipelineExecution: ({ pipelineName, pipelineExecutionId, reason }: Input) => {
        executionOf(pipelineName, pipelineExecutionId);
        if (!engine.stop(pipelineExecutionId, reason ?? ""))
          throw new ServiceError(
            "PipelineExecutionNotStoppableException",
            400,
            `Execution ${pipelineExecutionId} has ended`,
          );
        return { pipelineExecutionId };
      },
      GetPipelineState: ({ name }: Input) => {
        const { declaration, version, createdMs, updatedMs } = pipelineOf(name);
        const history = engine.history(name);
        return {
          pipelineName: name,
          pipelineVersion: version,
          created: new Date(createdMs),
          updated: new Date(updatedMs),
          stageStates: declaration.stages.map((stage) =>
            stageState(
              stage.name,
              stage.actions.map((action) => action.name),
              history,
            ),
          ),
        };
      },
      GetPipelineExecution: ({ pipelineName, pipelineExecutionId }: Input) => {
        const execution = executionOf(pipelineName, pipelineExecutionId);
        return {
          pipelineExecution: {
            pipelineName,
            pipelineVersion: execution.pipelineVersion,
            pipelineExecutionId,
            status: execution.status,
            statusSummary: execution.statusSummary,
            artifactRevisions: [
              { name: execution.revision.actionName, revisionId: execution.revision.revisionId },
            ],
            executionMode: execution.declaration.executionMode,
          },
        };
      },
      ListPipelineExecutions: ({ pipelineName, maxResults }: Input) => {
        pipelineOf(pipelineName);
        const newestFirst = engine
          .history(pipelineName)
          .toReversed()
          .slice(0, maxResults ?? 100);
        return {
          pipelineExecutionSummaries: newestFirst.map((execution) => ({
            pipelineExecutionId: execution.id,
            status: execution.status,
            statusSummary: execution.statusSummary,
            startTime: new Date(execution.startedMs),
            lastUpdateTime: new Date(execution.changedMs),
            sourceRevisions: [execution.revision],
            executionMode: execution.declaration.executionMode,
          })),
        };
      },
      ListActionExecutions: ({ pipelineName, filter }: Input) => {
        pipelineOf(pipelineName);
        const wanted = engine
          .history(pipelineName)
          .filter(
            (execution) =>
              filter?.pipelineExecutionId === undefined || execution.id === filter.pipelineExecutionId,
          );
        return {
          actionExecutionDetails: wanted.toReversed().flatMap((execution) =>
            Object.entries(execution.actions).flatMap(([stageName, runs]) =>
              runs.map((run) => ({
                pipelineExecutionId: execution.id,
                pipelineVersion: execution.pipelineVersion,
                stageName,
                actionName: run.name,
                status: run.status,
                startTime: new Date(run.startedMs),
                lastUpdateTime: new Date(run.changedMs),
                output: { executionResult: { externalExecutionSummary: run.summary } },
              })),
            ),
          ),
        };
      },
      PutApprovalResult: ({ pipelineName, stageName, actionName, result, token }: Input) => {
        const { declaration } = pipelineOf(pipelineName);
        const stage = declaration.stages.find(({ name }) => name === stageName);
        if (stage === undefined)
          throw new ServiceError(
            "StageNotFoundException",
            400,
            `Pipeline '${pipelineName}' has no stage '${stageName}'`,
          );
        if (!stage.actions.some(({ name }) => name === actionName))
          throw new ServiceError(
            "ActionNotFoundException",
            400,
            `Stage '${stageName}' has no action '${actionName}'`,
          );
        if (
          !engine.answer(
            pipelineName,
            stageName,
            actionName,
            token,
            result.status === "Approved",
            result.summary,
          )
        ) {
          throw new ServiceError(
            "InvalidApprovalTokenException",
            400,
            "The approval token is of no open wait: it was answered, or its execution has ended",
          );
        }
        return { approvedAt: new Date(now()) };
      },
    },
  };

  function save(declaration: Declaration, version: number, createdMs: number): object {
    pipelines.set(declaration.name, { declaration, version, createdMs, updatedMs: now() });
    return { pipeline: { ...declaration, version } };
  }

  function arn(name: string): string {
    return `arn:aws:codepipeline:${place.region}:${place.accountId}:${name}`;
  }
}

function parse(pipeline: unknown): Declaration {
  const parsed = Declaration.safeParse(pipeline);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ServiceError(
    "InvalidStructureException",
    400,
    `the pipeline's ${issue?.path.join(".") ?? ""} is not what is simulated: ${issue?.message ?? ""}`,
  );
}

function stageState(name: string, actions: readonly string[], history: readonly Execution[]): object {
  // The newest execution that has been in the stage is the one it shows.
  const latest = history.findLast((execution) => execution.actions[name] !== undefined);
  const inbound = history.findLast(
    (execution) =>
      execution.status === "InProgress" &&
      !execution.entered &&
      execution.declaration.stages[execution.stage]?.name === name,
  );
  return {
    stageName: name,
    ...(latest === undefined
      ? {}
      : {
          latestExecution: {
            pipelineExecutionId: latest.id,
            status: latest.status === "Stopped" ? "Stopped" : (stageStatus(latest, name) ?? "InProgress"),
          },
        }),
    ...(inbound === undefined
      ? {}
      : { inboundExecution: { pipelineExecutionId: inbound.id, status: "InProgress" } }),
    actionStates: actions.map((actionName) => {
      const run = latest?.actions[name]?.find((one) => one.name === actionName);
      return {
        actionName,
        ...(run === undefined || latest === undefined
          ? {}
          : { latestExecution: actionExecution(run, latest) }),
      };
    }),
  };
}

function actionExecution(run: ActionRun, execution: Execution): object {
  return {
    actionExecutionId: `${execution.id}:${run.name}`,
    status: run.status,
    summary: run.summary,
    lastStatusChange: new Date(run.changedMs),
    ...(run.token === undefined || run.status !== "InProgress" ? {} : { token: run.token }),
    ...(run.errorMessage === undefined ? {} : { errorDetails: { message: run.errorMessage } }),
  };
}
