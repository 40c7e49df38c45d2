import type { Clock, Log, Random } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { PassingMessage } from "../broker/passing-message.ts";
import type { Place } from "../service.ts";
import { uuid } from "../uuid.ts";
import type { ActionPorts, PreparedAction, RuleMessage } from "./actions.ts";
import { limits } from "./limits.ts";
import type { PreparedRule } from "./rule.ts";
import { run } from "./sql/statement.ts";
import type { MessageContext } from "./sql/functions.ts";
import { payloadValue } from "./sql/value.ts";
import type { TopicRules } from "./topic-rules.ts";

export interface RulesEngineOptions {
  readonly rules: TopicRules;
  readonly ports: ActionPorts;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: Place;
  readonly log: Log;
}

interface Failure {
  readonly failedAction: string;
  readonly failedResource: string;
  readonly errorMessage: string;
}

/** Runs the rules of each message that passes the broker. Actions begin in the order of messages and wait for nobody. */
export class RulesEngine {
  readonly #options: RulesEngineOptions;
  #underWay = 0;

  constructor(options: RulesEngineOptions) {
    this.#options = options;
  }

  take(message: PassingMessage): void {
    const { rules, log } = this.#options;
    const { topic, ruleName } = message;
    const matching = ruleName === undefined ? rules.matching(topic) : rules.named(ruleName);
    if (matching.length === 0) return;
    const refused =
      message.republished > limits.republishedMax
        ? `rules have republished it ${message.republished} times`
        : this.#underWay >= limits.underWayMax
          ? `${this.#underWay} rules are under way`
          : undefined;
    if (refused !== undefined) {
      log.warn("a message passed without its rules", { topic, cause: refused });
      return;
    }
    const payload = payloadValue(message.payload);
    const context = this.#contextOf(message);
    for (const rule of matching) {
      const { awsIotSqlVersion } = rule.rule;
      const its = { ...context, sqlVersion: awsIotSqlVersion ?? "2015-10-08" };
      const result = run(rule.statement, payload, its);
      if (result === undefined) continue;
      const { republished } = message;
      this.#run(rule, message, {
        ruleName: rule.rule.ruleName,
        payload,
        context: its,
        ...result,
        republished,
      });
    }
  }

  #contextOf({ topic, from }: PassingMessage): Omit<MessageContext, "sqlVersion"> {
    const { clock, random, place } = this.#options;
    return {
      topic,
      clientId: from?.clientId,
      principal: from?.principal,
      accountId: place.accountId,
      at: clock.now(),
      traceId: uuid(random),
      newUuid: () => uuid(random),
    };
  }

  #run(rule: PreparedRule, original: PassingMessage, message: RuleMessage): void {
    this.#underWay++;
    void Promise.all(rule.actions.map((action) => this.#failureOf(action, message)))
      .then((results) =>
        this.#failed(
          rule,
          original,
          message,
          results.filter((one) => one !== undefined),
        ),
      )
      .finally(() => this.#underWay--);
  }

  async #failureOf(action: PreparedAction, message: RuleMessage): Promise<Failure | undefined> {
    try {
      await action.run(message, this.#options.ports);
      return undefined;
    } catch (failure) {
      return {
        failedAction: action.name,
        failedResource: action.resource,
        errorMessage: messageOf(failure),
      };
    }
  }

  /** The error action gets the original message and what failed. */
  async #failed(
    { errorAction }: PreparedRule,
    { payload, topic }: PassingMessage,
    message: RuleMessage,
    failures: readonly Failure[],
  ): Promise<void> {
    if (failures.length === 0) return;
    const { ruleName, context } = message;
    const causes = failures.map((one) => `${one.failedAction} ${one.failedResource}: ${one.errorMessage}`);
    this.#options.log.warn("a rule's action failed", { rule: ruleName, topic, cause: causes.join("; ") });
    if (errorAction === undefined) return;
    const output = {
      ruleName,
      topic,
      cloudwatchTraceId: context.traceId,
      clientId: context.clientId ?? "n/a",
      base64OriginalPayload: Buffer.from(payload).toString("base64"),
      failures: failures.map((failure) => ({ ...failure })),
    };
    const failure = await this.#failureOf(errorAction, { ...message, output });
    if (failure !== undefined)
      this.#options.log.error("a rule's error action failed too", { rule: ruleName, topic, ...failure });
  }
}
