import type { Clock, Log } from "@coalmine/ports";
import { Attempts } from "../attempts.ts";
import type { Functions } from "../functions.ts";
import { writeLines } from "../logs/write-lines.ts";
import type { Input, Output } from "../service.ts";
import type { BusEvent } from "./event.ts";
import { limits } from "./limits.ts";
import type { EventRule } from "./rule-store.ts";
import { inputOf, type Target } from "./target.ts";

export interface TargetsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly invoke: (service: string, operation: string, input: Input) => Promise<Output>;
  readonly functions: Functions;
}

/** Brings events to the targets of rules, a few times if need be. */
export class Targets {
  readonly #options: TargetsOptions;
  readonly #attempts: Attempts;

  constructor(options: TargetsOptions) {
    this.#options = options;
    this.#attempts = new Attempts({ ...limits, ...options, lost: "an event did not reach its target" });
  }

  /** Ends what waits for its next try. */
  stop(): void {
    this.#attempts.stop();
  }

  send(rule: EventRule, event: BusEvent): void {
    for (const target of rule.targets)
      this.#attempts.begin({ rule: rule.name, target: target.Arn }, () => this.#deliver(rule, target, event));
  }

  async #deliver({ name }: EventRule, target: Target, event: BusEvent): Promise<unknown> {
    const { clock, functions, invoke } = this.#options;
    const { Arn } = target;
    const input = inputOf(target, event);
    const text = typeof input === "string" ? input : JSON.stringify(input ?? null);
    const [, , service = "", , , ...rest] = Arn.split(":");
    const resource = rest.join(":");
    switch (service) {
      case "sns":
        return await invoke("sns", "Publish", { TopicArn: Arn, Message: text });
      case "logs": {
        const logGroupName = resource.replace(/^log-group:/, "").replace(/:\*$/, "");
        const lines = [{ timestamp: clock.now(), message: text }];
        return await writeLines(invoke, { logGroupName, logStreamName: name }, lines);
      }
      case "kinesis":
        return await invoke("kinesis", "PutRecord", {
          StreamName: resource.replace(/^stream\//, ""),
          PartitionKey: event.id,
          Data: Buffer.from(text),
        });
      case "firehose":
        return await invoke("firehose", "PutRecord", {
          DeliveryStreamName: resource.replace(/^deliverystream\//, ""),
          Record: { Data: Buffer.from(text) },
        });
      default:
        return await functions.call(Arn, input);
    }
  }
}
