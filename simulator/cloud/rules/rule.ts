import * as z from "zod";
import type { Instant } from "@coalmine/ports";
import { awsLimits } from "../broker/limits.ts";
import { filterFault } from "../broker/topic.ts";
import { parsed } from "../iot/operation.ts";
import { prepareAction, type PreparedAction } from "./actions.ts";
import { limits } from "./limits.ts";
import type { Statement } from "./sql/statement.ts";
import { parseStatement } from "./sql/parse.ts";
import { sqlFault } from "./sql/scanner.ts";

const AnyAction = z.record(z.string(), z.unknown());
const Payload = z.object({
  sql: z.string(),
  description: z.string().nullish(),
  actions: z.array(AnyAction).max(limits.actionsPerRuleMax),
  ruleDisabled: z.boolean().nullish(),
  awsIotSqlVersion: z.enum(["2015-10-08", "2016-03-23", "beta"]).nullish(),
  errorAction: AnyAction.nullish(),
});
const NamedPayload = z.object({
  ruleName: z.string().regex(/^[a-zA-Z0-9_]{1,128}$/),
  topicRulePayload: Payload,
});

/** A rule as it is kept: what was given, and when. */
export interface TopicRule extends z.infer<typeof Payload> {
  readonly ruleName: string;
  readonly createdAt: Instant;
}

/** A rule with its SQL and its templates read. */
export interface PreparedRule {
  readonly rule: TopicRule;
  readonly statement: Statement;
  readonly actions: readonly PreparedAction[];
  readonly errorAction: PreparedAction | undefined;
}

/** @throws ServiceError as CreateTopicRule refuses. */
export function readRule(input: unknown, createdAt: Instant): PreparedRule {
  const { ruleName, topicRulePayload } = parsed(NamedPayload, input);
  return prepareRule({ ...topicRulePayload, ruleName, createdAt });
}

export function prepareRule(rule: TopicRule): PreparedRule {
  const statement = parseStatement(rule.sql);
  const fault = statement.from === undefined ? undefined : filterFault(statement.from, awsLimits);
  if (fault !== undefined) throw sqlFault(`FROM: ${fault}.`);
  return {
    rule,
    statement,
    actions: rule.actions.map(prepareAction),
    errorAction: rule.errorAction ? prepareAction(rule.errorAction) : undefined,
  };
}
