import type { CloudEvents, Place } from "../service.ts";
import type { Execution } from "./execution.ts";

const states: Readonly<Record<Execution["status"], string>> = {
  InProgress: "STARTED",
  Succeeded: "SUCCEEDED",
  Failed: "FAILED",
  Stopped: "STOPPED",
  Superseded: "SUPERSEDED",
};

/** What CodePipeline tells EventBridge. @see https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html */
export function tellExecutions(
  events: CloudEvents,
  { region, accountId }: Place,
): (before: Execution | undefined, execution: Execution) => void {
  return (before, { pipeline, id, status, pipelineVersion, changedMs }) => {
    if (before?.status === status) return;
    events.emit({
      kind: "aws-event",
      source: "aws.codepipeline",
      detailType: "CodePipeline Pipeline Execution State Change",
      resources: [`arn:aws:codepipeline:${region}:${accountId}:${pipeline}`],
      detail: { pipeline, "execution-id": id, state: states[status], version: pipelineVersion },
      at: changedMs,
    });
  };
}
