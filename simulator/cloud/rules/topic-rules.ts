import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { TopicTree } from "../broker/topic-tree.ts";
import { iotArn } from "../iot/arn.ts";
import { invalid, operation, page } from "../iot/operation.ts";
import { ServiceError, type Operation, type Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { limits } from "./limits.ts";
import { prepareRule, readRule, type PreparedRule, type TopicRule } from "./rule.ts";

const Named = z.object({ ruleName: z.string() });

/** The topic rules of an account, ready to run. */
export class TopicRules {
  readonly #table: Table<TopicRule>;
  readonly #prepared = new Map<string, PreparedRule>();
  readonly #byFilter = new TopicTree<PreparedRule>();
  readonly #place: Place;
  readonly #clock: Clock;

  constructor(options: { readonly store: Store; readonly clock: Clock; readonly place: Place }) {
    this.#table = options.store.table("iot-topic-rules");
    this.#place = options.place;
    this.#clock = options.clock;
    for (const [, rule] of this.#table.entries()) this.#put(prepareRule(rule));
  }

  /** Those whose FROM the topic matches, disabled ones left out. */
  matching(topic: string): readonly PreparedRule[] {
    if (this.#prepared.size === 0) return [];
    return this.#byFilter.match(topic).filter(({ rule }) => rule.ruleDisabled !== true);
  }

  /** The one that Basic Ingest names, unless it is disabled. */
  named(ruleName: string): readonly PreparedRule[] {
    const found = this.#prepared.get(ruleName);
    return found === undefined || found.rule.ruleDisabled === true ? [] : [found];
  }

  operations(): Record<string, Operation> {
    return {
      CreateTopicRule: (input) => {
        const prepared = readRule(input, this.#clock.now());
        const { ruleName } = prepared.rule;
        if (this.#table.get(ruleName) !== undefined)
          throw new ServiceError(
            "ResourceAlreadyExistsException",
            409,
            `Rule already exists with same name: ${ruleName}`,
            {
              resourceId: ruleName,
              resourceArn: this.#arn(ruleName),
            },
          );
        if (this.#table.size >= limits.rulesMax)
          throw invalid(`The account has ${limits.rulesMax} rules already.`);
        this.#keep(prepared);
        return {};
      },
      ReplaceTopicRule: (input) => {
        const prepared = readRule(input, this.#clock.now());
        const { createdAt } = this.#rule(prepared.rule.ruleName);
        this.#keep({ ...prepared, rule: { ...prepared.rule, createdAt } });
        return {};
      },
      GetTopicRule: operation(Named, ({ ruleName }) => {
        const { createdAt, ...rule } = this.#rule(ruleName);
        return {
          ruleArn: this.#arn(ruleName),
          rule: {
            ...rule,
            createdAt: new Date(createdAt),
            ruleDisabled: rule.ruleDisabled ?? false,
            awsIotSqlVersion: rule.awsIotSqlVersion ?? "2015-10-08",
          },
        };
      }),
      ListTopicRules: operation(
        z.object({
          topic: z.string().nullish(),
          ruleDisabled: z.boolean().nullish(),
          maxResults: z.number().int().min(1).max(10_000).nullish(),
          nextToken: z.string().nullish(),
        }),
        (input) => {
          const rules = [...this.#prepared.values()]
            .filter(
              ({ rule, statement }) =>
                (input.topic ?? statement.from) === statement.from &&
                (input.ruleDisabled ?? rule.ruleDisabled ?? false) === (rule.ruleDisabled ?? false),
            )
            .sort((a, b) => (a.rule.ruleName < b.rule.ruleName ? -1 : 1));
          const { items, nextToken } = page(rules, ({ rule }) => rule.ruleName, input);
          return {
            rules: items.map(({ rule, statement }) => ({
              ruleArn: this.#arn(rule.ruleName),
              ruleName: rule.ruleName,
              topicPattern: statement.from,
              createdAt: new Date(rule.createdAt),
              ruleDisabled: rule.ruleDisabled ?? false,
            })),
            nextToken,
          };
        },
      ),
      DeleteTopicRule: operation(Named, ({ ruleName }) => {
        this.#rule(ruleName);
        this.#forget(ruleName);
        this.#table.delete(ruleName);
        return {};
      }),
      EnableTopicRule: operation(Named, ({ ruleName }) => this.#setDisabled(ruleName, false)),
      DisableTopicRule: operation(Named, ({ ruleName }) => this.#setDisabled(ruleName, true)),
    };
  }

  #setDisabled(ruleName: string, ruleDisabled: boolean): object {
    this.#keep(prepareRule({ ...this.#rule(ruleName), ruleDisabled }));
    return {};
  }

  #rule(ruleName: string): TopicRule {
    const rule = this.#table.get(ruleName);
    // AWS does not tell a rule that is not there from one that is not yours.
    if (rule === undefined)
      throw new ServiceError("UnauthorizedException", 401, `Access to topic rule '${ruleName}' was denied`);
    return rule;
  }

  #keep(prepared: PreparedRule): void {
    this.#table.set(prepared.rule.ruleName, prepared.rule);
    this.#put(prepared);
  }

  #put(prepared: PreparedRule): void {
    const { ruleName } = prepared.rule;
    this.#forget(ruleName);
    this.#prepared.set(ruleName, prepared);
    const { from } = prepared.statement;
    if (from !== undefined) this.#byFilter.set(from, ruleName, prepared);
  }

  #forget(ruleName: string): void {
    const from = this.#prepared.get(ruleName)?.statement.from;
    if (from !== undefined) this.#byFilter.delete(from, ruleName);
    this.#prepared.delete(ruleName);
  }

  #arn(ruleName: string): string {
    return iotArn(this.#place, "rule", ruleName);
  }
}
