import { ServiceError } from "../service.ts";
import { limits } from "./limits.ts";

export interface StoredEvent {
  readonly timestamp: number;
  readonly message: string;
  readonly ingestionTime: number;
}

export interface RejectedInfo {
  readonly tooNewLogEventStartIndex?: number;
  readonly tooOldLogEventEndIndex?: number;
  readonly expiredLogEventEndIndex?: number;
}

/** Which events of a batch are kept, and what the client is told of the others. @throws ServiceError for a bad batch. */
export function acceptBatch(
  events: readonly { readonly timestamp: number; readonly message: string }[],
  now: number,
  retentionDays: number | undefined,
): { readonly kept: readonly StoredEvent[]; readonly rejected: RejectedInfo | undefined } {
  checkBatch(events);
  const tooOldBefore = now - limits.behindMs;
  const expiredBefore = retentionDays === undefined ? 0 : now - retentionDays * 24 * 3600_000;
  const tooNewAfter = now + limits.aheadMs;
  // The order that the batch must have makes each kind one run at an end.
  const tooOldEnd = events.filter((event) => event.timestamp < tooOldBefore).length;
  const expiredEnd = events.filter((event) => event.timestamp < expiredBefore).length;
  const firstTooNew = events.findIndex((event) => event.timestamp > tooNewAfter);
  const start = Math.max(tooOldEnd, expiredEnd);
  const end = firstTooNew < 0 ? events.length : firstTooNew;
  const rejected: RejectedInfo = {
    ...(firstTooNew < 0 ? {} : { tooNewLogEventStartIndex: firstTooNew }),
    ...(tooOldEnd === 0 ? {} : { tooOldLogEventEndIndex: tooOldEnd }),
    ...(expiredEnd > tooOldEnd ? { expiredLogEventEndIndex: expiredEnd } : {}),
  };
  return {
    kept: events
      .slice(start, Math.max(start, end))
      .map(({ timestamp, message }) => ({ timestamp, message, ingestionTime: now })),
    rejected: Object.keys(rejected).length === 0 ? undefined : rejected,
  };
}

function checkBatch(events: readonly { readonly timestamp: number; readonly message: string }[]): void {
  if (events.length === 0 || events.length > limits.batchEventsMax)
    throw invalid(
      `1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and ${limits.batchEventsMax}`,
    );
  let bytes = 0;
  let previous = -Infinity;
  for (const { timestamp, message } of events) {
    if (!Number.isInteger(timestamp) || timestamp < 0)
      throw invalid("A log event's timestamp must not be negative.");
    if (message.length === 0) throw invalid("A log event's message must not be empty.");
    if (timestamp < previous)
      throw invalid("Log events in a single PutLogEvents request must be in chronological order.");
    previous = timestamp;
    const size = Buffer.byteLength(message, "utf8") + limits.eventOverheadBytes;
    if (size > limits.eventBytesMax)
      throw invalid(`Log event too large: ${size} bytes exceeds limit of ${limits.eventBytesMax}`);
    bytes += size;
  }
  if (bytes > limits.batchBytesMax)
    throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${limits.batchBytesMax}`);
  const first = events[0]?.timestamp ?? 0;
  if (previous - first > limits.batchSpanMs)
    throw invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
}

export function invalid(message: string): ServiceError {
  return new ServiceError("InvalidParameterException", 400, message);
}
