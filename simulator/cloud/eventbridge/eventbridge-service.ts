import type { Clock, Random } from "@coalmine/ports";
import * as z from "zod";
import {
  ServiceError,
  type CloudEvents,
  type Input,
  type Output,
  type Place,
  type Service,
} from "../service.ts";
import { pageFrom } from "../page.ts";
import { readInput } from "../read-input.ts";
import type { Store } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { busEvent, Entries, readEntry } from "./event.ts";
import { limits } from "./limits.ts";
import { readPattern, RuleStore, type EventRule } from "./rule-store.ts";
import { parseSchedule, Schedules } from "./schedules.ts";
import { checkTarget, Target } from "./target.ts";
import { Targets, type TargetsOptions } from "./targets.ts";

export interface EventBridgeOptions extends TargetsOptions {
  readonly store: Store;
  readonly random: Random;
  readonly place: Place;
  readonly events: CloudEvents;
}

const PutRule = z.object({
  Name: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/),
  ScheduleExpression: z.string().optional(),
  EventPattern: z.string().max(limits.patternCharactersMax).optional(),
  State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  Description: z.string().max(512).optional(),
  RoleArn: z.string().optional(),
});

/** EventBridge: the default bus, which hears the cloud's own events and whatever is put. */
export class EventBridgeService implements Service {
  readonly signingName = "events";
  readonly operations: Service["operations"];
  readonly #rules: RuleStore;
  readonly #targets: Targets;
  readonly #schedules: Schedules;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #place: Place;

  constructor(options: EventBridgeOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#place = options.place;
    this.#rules = new RuleStore(options.store);
    this.#targets = new Targets(options);
    this.#schedules = new Schedules(this.#rules, options.clock, (rule) => this.#scheduled(rule));
    options.events.on((event) => {
      if (event.kind === "aws-event" && this.#rules.size > 0) this.#hear(event, uuid(this.#random));
    });
    this.operations = {
      PutRule: onDefaultBus((input) => this.#putRule(input)),
      DescribeRule: onDefaultBus(({ Name }) => this.#described(this.#rules.rule(Name))),
      ListRules: onDefaultBus((input) => {
        const { items, NextToken } = page(this.#rules.all(input.NamePrefix ?? ""), input);
        return { Rules: items.map((rule) => this.#described(rule)), NextToken };
      }),
      EnableRule: onDefaultBus(({ Name }) => this.#set({ ...this.#rules.rule(Name), isEnabled: true })),
      DisableRule: onDefaultBus(({ Name }) => this.#set({ ...this.#rules.rule(Name), isEnabled: false })),
      DeleteRule: onDefaultBus(({ Name }) => {
        // Deleting what is not there is no fault.
        if ((this.#rules.find(Name)?.targets.length ?? 0) > 0)
          throw invalid("Rule can't be deleted since it has targets.");
        this.#rules.delete(Name);
        this.#schedules.changed(Name);
        return {};
      }),
      PutTargets: onDefaultBus((input) => this.#putTargets(input)),
      RemoveTargets: onDefaultBus(({ Rule, Ids }) => {
        const rule = this.#rules.rule(Rule);
        this.#set({ ...rule, targets: rule.targets.filter(({ Id }) => !Ids.includes(Id)) });
        return { FailedEntryCount: 0, FailedEntries: [] };
      }),
      ListTargetsByRule: onDefaultBus(({ Rule }) => ({ Targets: this.#rules.rule(Rule).targets })),
      ListRuleNamesByTarget: onDefaultBus(({ TargetArn }) => ({
        RuleNames: this.#rules
          .all()
          .filter(({ targets }) => targets.some(({ Arn }) => Arn === TargetArn))
          .map(({ name }) => name),
      })),
      TestEventPattern: ({ EventPattern, Event }: Input) => ({
        Result: readPattern(EventPattern)(jsonOf(Event)),
      }),
      PutEvents: (input) => this.#putEvents(input),
    };
  }

  stop(): void {
    this.#schedules.stop();
    this.#targets.stop();
  }

  #putRule(input: Input): Output {
    const given = parsed(PutRule, input);
    const { Name: name, EventPattern: pattern, ScheduleExpression: schedule } = given;
    if (pattern === undefined && schedule === undefined)
      throw invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.");
    if (schedule !== undefined) parseSchedule(schedule);
    const former = this.#rules.find(name);
    if (former === undefined && this.#rules.size >= limits.rulesMax)
      throw new ServiceError("LimitExceededException", 400, `The bus has ${limits.rulesMax} rules.`);
    this.#set({
      name,
      pattern,
      schedule,
      isEnabled: given.State === "ENABLED",
      description: given.Description,
      roleArn: given.RoleArn,
      targets: former?.targets ?? [],
      createdAt: former?.createdAt ?? this.#clock.now(),
    });
    return { RuleArn: this.#arn(name) };
  }

  #set(rule: EventRule): Output {
    this.#rules.set(rule);
    this.#schedules.changed(rule.name);
    return {};
  }

  #putTargets(input: Input): Output {
    const rule = this.#rules.rule(input.Rule);
    const given = parsed(z.array(Target).min(1), input.Targets).map(checkTarget);
    const ids = new Set(given.map(({ Id }) => Id));
    const targets = [...rule.targets.filter(({ Id }) => !ids.has(Id)), ...given];
    if (targets.length > limits.targetsPerRuleMax)
      throw new ServiceError(
        "LimitExceededException",
        400,
        `A rule has up to ${limits.targetsPerRuleMax} targets.`,
      );
    this.#set({ ...rule, targets });
    return { FailedEntryCount: 0, FailedEntries: [] };
  }

  /** Each entry stands for itself. */
  #putEvents(input: Input): Output {
    const entries = parsed(Entries, input.Entries);
    if (entries.length === 0 || entries.length > limits.entriesMax)
      throw invalid(
        `1 validation error detected: Value at 'entries' must have 1 to ${limits.entriesMax} members`,
      );
    if (Buffer.byteLength(JSON.stringify(entries)) > limits.requestBytesMax)
      throw invalid(
        `Total size of the entries in the request is over the limit of ${limits.requestBytesMax}.`,
      );
    const answers = entries.map((entry) => {
      const isKnown = entry.EventBusName === undefined || isDefaultBus(entry.EventBusName);
      const read = readEntry(entry, this.#clock.now());
      if (!("event" in read)) return { ErrorCode: read.code, ErrorMessage: read.message };
      const EventId = uuid(this.#random);
      // AWS takes an event for a bus that is not there, and drops it.
      if (isKnown) this.#hear(read.event, EventId);
      return { EventId };
    });
    return { FailedEntryCount: answers.filter((one) => "ErrorCode" in one).length, Entries: answers };
  }

  #hear(told: Parameters<typeof busEvent>[0], id: string): void {
    const event = busEvent(told, id, this.#place);
    for (const rule of this.#rules.matching(event)) this.#targets.send(rule, event);
  }

  #scheduled(rule: EventRule): void {
    const told = {
      source: "aws.events",
      detailType: "Scheduled Event",
      resources: [this.#arn(rule.name)],
      detail: {},
      at: this.#clock.now(),
    };
    this.#targets.send(this.#rules.find(rule.name) ?? rule, busEvent(told, uuid(this.#random), this.#place));
  }

  #described({ name, pattern, schedule, isEnabled, description, roleArn }: EventRule): object {
    return {
      Name: name,
      Arn: this.#arn(name),
      EventPattern: pattern,
      ScheduleExpression: schedule,
      State: isEnabled ? "ENABLED" : "DISABLED",
      Description: description,
      RoleArn: roleArn,
      EventBusName: "default",
    };
  }

  #arn(name: string): string {
    return `arn:aws:events:${this.#place.region}:${this.#place.accountId}:rule/${name}`;
  }
}

/** There is no other bus. */
function onDefaultBus(run: (input: Input) => Output): (input: Input) => Output {
  return (input) => {
    const name: unknown = input.EventBusName ?? "default";
    if (!isDefaultBus(String(name)))
      throw new ServiceError("ResourceNotFoundException", 400, `Event bus ${String(name)} does not exist.`);
    return run(input);
  };
}

function isDefaultBus(name: string): boolean {
  return name === "default" || name.endsWith(":event-bus/default");
}

function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  return readInput(schema, input, (member, why) =>
    invalid(`Parameter ${member} is not valid. Reason: ${why}.`),
  );
}

function page<Item>(all: readonly Item[], input: Input): ReturnType<typeof pageFrom<Item>> {
  const start = Number(input.NextToken ?? 0);
  const size = Number(input.Limit ?? limits.perPage);
  if (!Number.isInteger(start) || start < 0 || !(size >= 1 && size <= limits.perPage))
    throw invalid("Parameter NextToken or Limit is not valid.");
  return pageFrom(all, start, size);
}

function jsonOf(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    throw invalid("Parameter Event is not valid. Reason: it is not JSON.");
  }
}

function invalid(message: string): ServiceError {
  return new ServiceError("ValidationException", 400, message);
}
