import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import type { Broker } from "../broker/broker.ts";
import { ServiceError } from "../service.ts";
import { type Execution, isTerminal, type Job } from "./job.ts";
import type { Jobs } from "./jobs.ts";

/**
 * IoT Jobs as devices see it, over MQTT, with and without a namespace.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html
 */

const Token = z.object({ clientToken: z.string().max(64).optional() });
const Details = z
  .record(z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/), z.string().max(1024))
  .refine((details) => Object.keys(details).length <= 10, "at most 10 status details");
const DescribeInput = Token.extend({
  executionNumber: z.number().int().nullish(),
  includeJobDocument: z.boolean().nullish(),
});
const StartNextInput = Token.extend({ statusDetails: Details.nullish() });
const UpdateInput = Token.extend({
  status: z.enum(["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "QUEUED"]),
  statusDetails: Details.nullish(),
  expectedVersion: z.number().int().nullish(),
  executionNumber: z.number().int().nullish(),
  includeJobExecutionState: z.boolean().nullish(),
  includeJobDocument: z.boolean().nullish(),
});

const NOTIFIED_MAX = 15;
const REQUEST_BYTES_MAX = 20 * 1024;

type RejectionCode =
  | "InvalidTopic"
  | "InvalidJson"
  | "InvalidRequest"
  | "InvalidStateTransition"
  | "ResourceNotFound"
  | "VersionMismatch"
  | "TerminalStateReached";

class Rejection extends Error {
  readonly code: RejectionCode;
  readonly execution: Execution | undefined;
  constructor(code: RejectionCode, message: string, execution?: Execution) {
    super(message);
    this.code = code;
    this.execution = execution;
  }
}

/** What a topic asks: `…/jobs/<jobId>/namespace-<ns>/update` and the like. */
interface Asked {
  readonly verb: "pending" | "start-next" | "describe" | "update";
  readonly jobId: string;
  readonly namespaceId: string | undefined;
}

/** Serves the jobs topics of all things, and notifies. */
export class JobTopics {
  readonly #jobs: Jobs;
  readonly #broker: Broker;
  readonly #clock: Clock;

  constructor(options: { readonly jobs: Jobs; readonly broker: Broker; readonly clock: Clock }) {
    this.#jobs = options.jobs;
    this.#broker = options.broker;
    this.#clock = options.clock;
    this.#broker.handle("$aws/things/+/jobs/#", ({ topic, payload }) => {
      const [, , thingName = "", , ...rest] = topic.split("/");
      const asked = readTopic(rest);
      if (asked !== undefined) this.#serve(topic, thingName, asked, payload);
    });
    this.#jobs.onPendingChanged((thingName, namespaceId, before) =>
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
    if (verb === "update")
      return this.#update(this.#one(jobId, thingName, namespaceId), read(UpdateInput, json));
    const pending = this.#jobs.pending(thingName, namespaceId);
    const [next] = pending;
    if (verb === "pending") {
      read(Token, json);
      const listed = (status: string) => pending.filter((one) => one.status === status).map(summary);
      return { inProgressJobs: listed("IN_PROGRESS"), queuedJobs: listed("QUEUED") };
    }
    if (verb === "start-next") {
      const { statusDetails } = read(StartNextInput, json);
      if (next === undefined) return {};
      const begun =
        next.status === "QUEUED" ? this.#jobs.report(next, "IN_PROGRESS", statusDetails ?? undefined) : next;
      return { execution: this.#described(begun, true) };
    }
    const { includeJobDocument, executionNumber } = read(DescribeInput, json);
    const found = jobId === "$next" ? next : this.#one(jobId, thingName, namespaceId);
    if (found === undefined) return {};
    checkNumber(found, executionNumber);
    if (isTerminal(found.status))
      throw new Rejection("TerminalStateReached", `The job execution is ${found.status}: it is over.`);
    return { execution: this.#described(found, includeJobDocument !== false) };
  }

  #update(execution: Execution, input: z.infer<typeof UpdateInput>): object {
    const { status, statusDetails, expectedVersion, executionNumber } = input;
    checkNumber(execution, executionNumber);
    if (typeof expectedVersion === "number" && expectedVersion !== execution.versionNumber)
      throw new Rejection(
        "VersionMismatch",
        `The version is ${execution.versionNumber}, not ${expectedVersion}.`,
        execution,
      );
    const allowed = !isTerminal(execution.status) && (status !== "QUEUED" || execution.status === "QUEUED");
    if (!allowed)
      throw new Rejection(
        "InvalidStateTransition",
        `A job execution that is ${execution.status} cannot become ${status}.`,
        execution,
      );
    const moved = this.#jobs.report(execution, status, statusDetails ?? undefined);
    return {
      ...(input.includeJobExecutionState === true ? { executionState: stateOf(moved) } : {}),
      ...(input.includeJobDocument === true ? { jobDocument: document(this.#jobs.job(moved.jobId)) } : {}),
    };
  }

  #one(jobId: string, thingName: string, namespaceId: string | undefined): Execution {
    const execution = this.#jobs.execution(jobId, thingName);
    if ((this.#jobs.job(jobId).namespaceId ?? undefined) !== namespaceId)
      throw new Rejection("ResourceNotFound", `Job ${jobId} is not in this namespace.`);
    return execution;
  }

  #described(execution: Execution, includeDocument: boolean): object {
    return {
      ...summary(execution),
      thingName: execution.thingName,
      status: execution.status,
      statusDetails: execution.statusDetails,
      ...(includeDocument ? { jobDocument: document(this.#jobs.job(execution.jobId)) } : {}),
    };
  }

  /** `notify` when an execution was added to or taken from the list, `notify-next` when another one is next. */
  #notify(thingName: string, namespaceId: string | undefined, before: readonly Execution[]): void {
    const after = this.#jobs.pending(thingName, namespaceId);
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
    return Math.floor(this.#clock.now() / 1000);
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

function checkNumber(execution: Execution, asked: number | null | undefined): void {
  if (typeof asked === "number" && asked !== execution.executionNumber)
    throw new Rejection("ResourceNotFound", `Execution number ${asked} does not exist.`);
}

function summary(execution: Execution): object {
  const { jobId, queuedAt, startedAt, lastUpdatedAt, versionNumber, executionNumber } = execution;
  return {
    jobId,
    queuedAt: seconds(queuedAt),
    ...(startedAt === undefined ? {} : { startedAt: seconds(startedAt) }),
    lastUpdatedAt: seconds(lastUpdatedAt),
    versionNumber,
    executionNumber,
  };
}

function stateOf({ status, statusDetails, versionNumber }: Execution): object {
  return { status, statusDetails, versionNumber };
}

function document(job: Job): unknown {
  return JSON.parse(job.document);
}

function seconds(instant: number): number {
  return Math.floor(instant / 1000);
}
