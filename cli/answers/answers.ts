import { Audit, Decided, RolloutSummary, ShownRollout } from "@coalmine/contract/operator-api";
import { RolloutSummary as MainJob } from "@coalmine/contract/summary";
import * as z from "zod";
import { auditAnswers } from "./audit.ts";
import { cloudAnswers } from "./cloud.ts";
import { componentAnswers } from "./component.ts";
import { deviceAnswers } from "./device.ts";
import { doctorAnswers } from "./doctor.ts";
import { fleetAnswers } from "./fleet.ts";
import { judgeAnswers } from "./judge.ts";
import { queueAnswers } from "./queue.ts";
import { reportAnswers } from "./device-report.ts";

/**
 * What each command prints with `--json`, by name. New members may come with any version; none goes or changes its
 * meaning. Instants are in ms since 1970 on the clock of the target that they are of, durations in ms.
 */
export const answers = {
  "rollout-run": MainJob,
  "rollout-list": z.array(RolloutSummary).readonly(),
  "rollout-show": ShownRollout.omit({ why: true }),
  "rollout-watch": z.object({
    rollout: z.string(),
    phase: z.string(),
    outcome: z.string().optional(),
    /** Of its state: changes whenever something happened. */
    state: z.string(),
    /** What changed since the line before, a sentence each. */
    sentences: z.array(z.string()).readonly(),
  }),
  "rollout-plan": z.object({
    sentences: z.array(z.string()).readonly(),
    /** Why the policy cannot work on this fleet; empty where it can. */
    refusals: z.array(z.string()).readonly(),
  }),
  decided: Decided,
  why: z.array(z.string()).readonly(),
  "audit-export": Audit,
  "console-link": z.object({ link: z.string() }),
  ...auditAnswers,
  ...cloudAnswers,
  ...componentAnswers,
  ...deviceAnswers,
  ...doctorAnswers,
  ...fleetAnswers,
  ...judgeAnswers,
  ...queueAnswers,
  ...reportAnswers,
} as const;
export type AnswerName = keyof typeof answers;
export const answerNames = Object.keys(answers).filter(isAnswerName).sort();

export function isAnswerName(name: string): name is AnswerName {
  return Object.hasOwn(answers, name);
}

/** Prints the one line of JSON that a schema describes. */
export function answer<Name extends AnswerName>(name: Name, value: z.input<(typeof answers)[Name]>): void {
  console.log(JSON.stringify(value));
}

/** The schema for whoever reads such a line, whatever they write in. */
export function jsonSchemaOf(name: AnswerName): string {
  const { $schema, ...schema } = z.toJSONSchema(answers[name], { io: "input", unrepresentable: "any" });
  return JSON.stringify({ $schema, title: name, ...schema }, null, 2);
}
