import type { Instant } from "@coalmine/ports";
import * as z from "zod";

/** The part of AWS's PipelineDeclaration that is simulated: a source, work (`Commands`) and waits (`Manual`). */
export const Declaration = z.object({
  name: z.string().regex(/^[A-Za-z0-9.@\-_]{1,100}$/),
  roleArn: z.string().optional(),
  executionMode: z.enum(["QUEUED", "SUPERSEDED"]).default("SUPERSEDED"),
  version: z.int().optional(),
  stages: z
    .array(
      z.object({
        name: z.string().regex(/^[A-Za-z0-9.@\-_]{1,100}$/),
        actions: z
          .array(
            z.object({
              name: z.string().regex(/^[A-Za-z0-9.@\-_]{1,100}$/),
              actionTypeId: z.object({
                category: z.enum(["Source", "Compute", "Approval"]),
                owner: z.string(),
                provider: z.string(),
                version: z.string(),
              }),
              runOrder: z.int().min(1).max(999).default(1),
              commands: z.array(z.string().min(1).max(1000)).max(50).optional(),
              configuration: z.record(z.string(), z.string()).optional(),
              timeoutInMinutes: z.int().min(1).max(7200).optional(),
            }),
          )
          .min(1)
          .max(100),
      }),
    )
    .min(2)
    .max(50),
});
export type Declaration = z.infer<typeof Declaration>;
export type ActionDeclaration = Declaration["stages"][number]["actions"][number];

export type ActionStatus = "InProgress" | "Succeeded" | "Failed" | "Abandoned";

export interface ActionRun {
  readonly name: string;
  readonly status: ActionStatus;
  readonly summary: string;
  readonly startedMs: Instant;
  readonly changedMs: Instant;
  /** What an approval must name to answer this very wait. */
  readonly token?: string;
  readonly errorMessage?: string;
}

export type ExecutionStatus = "InProgress" | "Succeeded" | "Failed" | "Stopped" | "Superseded";

/** One run of a pipeline. `stage` is the stage it is in, or waits before. */
export interface Execution {
  readonly id: string;
  readonly pipeline: string;
  readonly number: number;
  readonly status: ExecutionStatus;
  readonly statusSummary: string;
  /** The definition it runs by: that of the pushed commit, whatever comes later. */
  readonly declaration: Declaration;
  readonly pipelineVersion: number;
  readonly revision: { readonly actionName: string; readonly revisionId: string };
  readonly startedMs: Instant;
  readonly changedMs: Instant;
  readonly stage: number;
  readonly entered: boolean;
  /** stage name → its actions that have run. */
  readonly actions: Readonly<Record<string, readonly ActionRun[]>>;
}

export function stageStatus(execution: Execution, stage: string): ActionStatus | undefined {
  const runs = execution.actions[stage] ?? [];
  const declared = execution.declaration.stages.find(({ name }) => name === stage)?.actions.length ?? 0;
  if (runs.length === 0) return undefined;
  if (runs.some(({ status }) => status === "Failed")) return "Failed";
  if (runs.some(({ status }) => status === "Abandoned")) return "Abandoned";
  return runs.length === declared && runs.every(({ status }) => status === "Succeeded")
    ? "Succeeded"
    : "InProgress";
}
