import type { AwsError, Clock, CloudLogs, Log, LogGroupSettings, Random } from "@coalmine/ports";
import { fullJitter, isAwsError } from "@coalmine/runtime";
import type { Outgoing, RejectCause } from "./batches.ts";
import type { RequestRate } from "./request-rate.ts";
import type { ServerTime } from "./server-time.ts";
import { untilStopped } from "./within.ts";

/** Waits between tries are uniform up to this, doubling from the first; there is no last try. */
const RETRY = { firstMs: 500, maxMs: 300_000 } as const;

export interface Target {
  readonly group: string;
  readonly stream: string;
  readonly settings: LogGroupSettings;
}

export interface PutPorts {
  readonly cloudLogs: CloudLogs;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly serverTime: ServerTime;
  readonly rate: RequestRate;
  /** The last thing before a request: looks at the clock, which may have been set by the very network that lets it go. */
  beforeTry(isFirst: boolean): Promise<void>;
  /** Told of each try that failed; a missing group or stream is none. */
  failed(code: string): void;
}

export interface Answered {
  readonly accepted: readonly Outgoing[];
  readonly rejected: readonly { readonly event: Outgoing; readonly cause: RejectCause }[];
}

/**
 * Puts events for as long as it takes. What the service does not keep comes back by cause; a batch that it refuses for
 * good is halved until the events that it means stand alone. Throws only `signal.reason`.
 */
export async function putEvents(
  ports: PutPorts,
  target: Target,
  events: readonly Outgoing[],
  signal: AbortSignal,
): Promise<Answered> {
  const waits = fullJitter(RETRY, ports.random);
  let hasCreated = false;
  let isFirst = true;
  for (;;) {
    signal.throwIfAborted();
    await ports.rate.turn(signal);
    await ports.beforeTry(isFirst);
    isFirst = false;
    signal.throwIfAborted();
    try {
      const answer = await untilStopped(
        ports.cloudLogs.putLogEvents(target.group, target.stream, events),
        ports.clock,
        signal,
      );
      if (answer.serverTimeMs !== undefined) ports.serverTime.note(answer.serverTimeMs);
      const oldEnd = answer.tooOldEndIndex ?? 0;
      const expiredEnd = Math.max(oldEnd, answer.expiredEndIndex ?? 0);
      const newStart = Math.max(expiredEnd, answer.tooNewStartIndex ?? events.length);
      const because = (cause: RejectCause) => (event: Outgoing) => ({ event, cause });
      return {
        accepted: events.slice(expiredEnd, newStart),
        rejected: [
          ...events.slice(0, oldEnd).map(because("tooOld")),
          ...events.slice(oldEnd, expiredEnd).map(because("expired")),
          ...events.slice(newStart).map(because("tooNew")),
        ],
      };
    } catch (failure) {
      if (!isAwsError(failure)) throw failure;
      let retryAfterMs = failure.retryAfterMs ?? 0;
      // It was accepted by a try whose answer did not arrive.
      if (failure.code === "DataAlreadyAcceptedException") return { accepted: events, rejected: [] };
      if (failure.code === "ResourceNotFoundException" && !hasCreated) {
        hasCreated = true;
        const refusal = await create(ports, target);
        if (refusal === undefined) continue;
        ports.failed(refusal.code);
        hasCreated = false;
        retryAfterMs = refusal.retryAfterMs ?? 0;
      } else if (failure.code === "InvalidParameterException") {
        return refusedForGood(ports, target, events, signal, failure);
      } else ports.failed(failure.code);
      await ports.clock.sleep(Math.max(retryAfterMs, waits.next().value), signal);
    }
  }
}

async function refusedForGood(
  ports: PutPorts,
  target: Target,
  events: readonly Outgoing[],
  signal: AbortSignal,
  failure: AwsError,
): Promise<Answered> {
  const [first] = events;
  if (first !== undefined && events.length === 1) {
    ports.log.error("CloudWatch Logs refuses an event for good; it goes to the dead letters", {
      group: target.group,
      stream: target.stream,
      offset: first.offset,
      reason: failure.message,
    });
    return { accepted: [], rejected: [{ event: first, cause: "invalid" }] };
  }
  const half = events.length >> 1;
  const before = await putEvents(ports, target, events.slice(0, half), signal);
  const after = await putEvents(ports, target, events.slice(half), signal);
  return {
    accepted: [...before.accepted, ...after.accepted],
    rejected: [...before.rejected, ...after.rejected],
  };
}

/** Makes the group and the stream where they are missing; gives the refusal that stands in the way. */
async function create(
  { cloudLogs }: PutPorts,
  { group, stream, settings }: Target,
): Promise<AwsError | undefined> {
  const { retentionDays, ...made } = settings;
  try {
    const isNew = await unlessThere(cloudLogs.createLogGroup(group, made));
    if (isNew && retentionDays !== undefined) await cloudLogs.putRetentionPolicy(group, retentionDays);
    await unlessThere(cloudLogs.createLogStream(group, stream));
    return undefined;
  } catch (refusal) {
    if (!isAwsError(refusal)) throw refusal;
    return refusal;
  }
}

async function unlessThere(made: Promise<void>): Promise<boolean> {
  try {
    await made;
    return true;
  } catch (refusal) {
    if (!isAwsError(refusal) || refusal.code !== "ResourceAlreadyExistsException") throw refusal;
    return false;
  }
}
