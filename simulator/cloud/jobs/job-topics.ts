import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import type { Broker } from "../broker/broker.ts";
import { ServiceError } from "../service.ts";
import {
  DescribeInput,
  type DeviceJobs,
  Rejection,
  seconds,
  StartNextInput,
  stateOf,
  summary,
  UpdateInput,
} from "./device-jobs.ts";
import type { Execution } from "./job.ts";
import type { Jobs } from "./jobs.ts";

/**
 * IoT Jobs as devices see it, over MQTT, with and without a namespace.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html
 */

const Token = z.object({ clientToken: z.string().max(64).optional() });
const NOTIFIED_MAX = 15;
const REQUEST_BYTES_MAX = 20 * 1024;

/** What a topic asks: `…/jobs/<jobId>/namespace-<ns>/update` and the like. */
interface Asked {
  readonly verb: "pending" | "start-next" | "describe" | "update";
  readonly jobId: string;
  readonly namespaceId: string | undefined;
}

/** Serves the jobs topics of all things, and notifies. */
export class JobTopics {
  readonly #jobs: Jobs;
  readonly #devices: DeviceJobs;
  readonly #broker: Broker;
  readonly #clock: Clock;

  constructor(options: {
    readonly jobs: Jobs;
    readonly devices: DeviceJobs;
    readonly broker: Broker;
    readonly clock: Clock;
  }) {
    this.#jobs = options.jobs;
    this.#devices = options.devices;
    this.#broker = options.broker;
    this.#clock = options.clock;
    this.#broker.handle("$aws/things/+/jobs/#", ({ topic, payload }) => {
      const [, , thingName = "", , ...rest] = topic.split("/");
      const asked = readTopic(rest);
      if (asked !== undefined) this.#serve(topic, thingName, asked, payload);
    });
    this.#jobs.executions.onPendingChanged((thingName, namespaceId, before) =>
      this.#notify(thingName, namespaceId, before),
    );
  }

  #serve(topic: string, thingName: string, asked: Asked, payload: Uint8Array): void {
    let clientToken: string | undefined;
    const reply = (ending: string, body: object): void =>
      this.#broker.publish(
        `${topic}/${ending}`,
        JSON.stringify({
          ...(clientToken === undefined ? {} : { clientToken }),
          timestamp: this.#seconds(),
          ...body,
        }),
      );
    try {
      const json = parse(payload);
      const token = Token.safeParse(json);
      clientToken = token.success ? token.data.clientToken : undefined;
      reply("accepted", this.#carryOut(thingName, asked, json));
    } catch (failure) {
      if (failure instanceof Rejection)
        reply("rejected", {
          code: failure.code,
          message: failure.message,
          ...(failure.execution === undefined ? {} : { executionState: stateOf(failure.execution) }),
        });
      else if (failure instanceof ServiceError)
        reply("rejected", {
          code: failure.statusCode === 404 ? "ResourceNotFound" : "InvalidRequest",
          message: failure.message,
        });
      else throw failure;
    }
  }

  #carryOut(thingName: string, { verb, jobId, namespaceId }: Asked, json: unknown): object {
    const devices = this.#devices;
    if (verb === "pending") {
      read(Token, json);
      return devices.pending(thingName, namespaceId);
    }
    if (verb === "start-next") {
      const begun = devices.startNext(thingName, namespaceId, read(StartNextInput, json));
      return begun === undefined ? {} : { execution: this.#described(begun, true) };
    }
    if (verb === "describe") {
      const input = read(DescribeInput, json);
      const found = devices.describe(thingName, namespaceId, jobId, input);
      return found === undefined
        ? {}
        : { execution: this.#described(found, input.includeJobDocument !== false) };
    }
    const input = read(UpdateInput, json);
    const moved = devices.update(thingName, namespaceId, jobId, input);
    return {
      ...(input.includeJobExecutionState === true ? { executionState: stateOf(moved) } : {}),
      ...(input.includeJobDocument === true ? { jobDocument: this.#document(moved) } : {}),
    };
  }

  #described(execution: Execution, includeDocument: boolean): object {
    return {
      ...this.#devices.described(execution),
      ...(includeDocument ? { jobDocument: this.#document(execution) } : {}),
    };
  }

  #document({ jobId }: Execution): unknown {
    return JSON.parse(this.#jobs.job(jobId).document);
  }

  /** `notify` when an execution was added to or taken from the list, `notify-next` when another one is next. */
  #notify(thingName: string, namespaceId: string | undefined, before: readonly Execution[]): void {
    const after = this.#jobs.executions.pending(thingName, namespaceId);
    const suffix = namespaceId === undefined ? "" : `-namespace-${namespaceId}`;
    const tell = (name: string, body: object): void =>
      this.#broker.publish(
        `$aws/things/${thingName}/jobs/${name}${suffix}`,
        JSON.stringify({ timestamp: this.#seconds(), ...body }),
      );
    const ids = (list: readonly Execution[]): string =>
      list
        .map(({ jobId, executionNumber }) => `${jobId}/${executionNumber}`)
        .sort()
        .join(" ");
    if (ids(before) !== ids(after)) {
      const jobs: Record<string, object[]> = {};
      for (const execution of after.slice(0, NOTIFIED_MAX))
        (jobs[execution.status] ??= []).push(summary(execution));
      tell("notify", { jobs });
    }
    const [next] = after;
    if (ids(before.slice(0, 1)) !== ids(after.slice(0, 1)))
      tell("notify-next", next === undefined ? {} : { execution: this.#described(next, true) });
  }

  #seconds(): number {
    return seconds(this.#clock.now());
  }
}

/** What comes after `…/jobs/`. Undefined for what nobody asks: answers, notifications. */
function readTopic(rest: readonly string[]): Asked | undefined {
  const namespaceId = rest
    .map((level) => /^(?:start-next-)?namespace-(.+)$/.exec(level)?.[1])
    .find((found) => found);
  const plain = rest
    .filter((level) => !level.startsWith("namespace-"))
    .map((level) => level.replace(/^start-next-namespace-.+$/, "start-next"));
  const [first = "", verb, more] = plain;
  if (more !== undefined) return undefined;
  if (verb === undefined) {
    if (first === "get") return { verb: "pending", jobId: "", namespaceId };
    return first === "start-next" ? { verb: "start-next", jobId: "", namespaceId } : undefined;
  }
  if (first === "$next" && verb === "start") return { verb: "start-next", jobId: "", namespaceId };
  if (verb === "get") return { verb: "describe", jobId: first, namespaceId };
  return verb === "update" ? { verb: "update", jobId: first, namespaceId } : undefined;
}

function parse(payload: Uint8Array): unknown {
  if (payload.length === 0) return {};
  if (payload.length > REQUEST_BYTES_MAX) throw new Rejection("InvalidRequest", "The payload is too large.");
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch {
    throw new Rejection("InvalidJson", "The payload is not JSON.");
  }
}

function read<Schema extends z.ZodType>(schema: Schema, json: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Rejection("InvalidRequest", `${issue?.path.join(".") ?? "payload"}: ${issue?.message ?? ""}`);
}
