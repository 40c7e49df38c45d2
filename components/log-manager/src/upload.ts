import type { AwsError, Clock, CloudLogs, Log, Random } from "@coalmine/ports";
import { fullJitter } from "@coalmine/runtime";
import type { Batch } from "./batches.ts";

/** CloudWatch takes events up to 14 days old and 2 hours ahead, by its own clock. */
const OLD_MS_MAX = 14 * 24 * 3_600_000;

export interface UploadResult {
  readonly accepted: number;
  readonly rejected: number;
}

interface Ports {
  readonly cloudLogs: CloudLogs;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Puts one batch, for as long as it takes: what may pass is tried again with full jitter up to five minutes apart,
 * what the service refuses for good is counted as rejected. Throws only `signal.reason`.
 */
export async function upload(
  ports: Ports,
  group: string,
  stream: string,
  batch: Batch,
  signal: AbortSignal,
  failed: (code: string) => void,
): Promise<UploadResult> {
  const waits = fullJitter({ firstMs: 500, maxMs: 300_000 }, ports.random);
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await ports.cloudLogs.putLogEvents(group, stream, batch.events);
      const old = Math.max(answer.tooOldEndIndex ?? 0, answer.expiredEndIndex ?? 0);
      const young = answer.tooNewStartIndex ?? batch.events.length;
      const accepted = Math.max(0, young - old);
      const rejected = batch.events.length - accepted;
      if (rejected > 0) {
        ports.log.warn(
          "CloudWatch Logs did not keep some events: they are older than 14 days or its retention, or more than 2 hours ahead",
          { group, stream, rejected, olderThanMs: OLD_MS_MAX },
        );
      }
      return { accepted, rejected };
    } catch (failure) {
      if (!isAwsError(failure)) throw failure;
      failed(failure.code);
      if (failure.code === "ResourceNotFoundException") {
        await create(ports, group, stream).catch((cause: unknown) => {
          if (!isAwsError(cause)) throw cause;
          failed(cause.code);
        });
      } else if (failure.code === "InvalidParameterException") {
        ports.log.error("CloudWatch Logs refuses a batch for good; its events are given up", {
          group,
          stream,
          events: batch.events.length,
          reason: failure.message,
        });
        return { accepted: 0, rejected: batch.events.length };
      }
      await ports.clock.sleep(Math.max(failure.retryAfterMs ?? 0, waits.next().value), signal);
    }
  }
}

async function create({ cloudLogs }: Ports, group: string, stream: string): Promise<void> {
  const unlessThere = (failure: unknown): void => {
    if (!isAwsError(failure) || failure.code !== "ResourceAlreadyExistsException") throw failure;
  };
  await cloudLogs.createLogGroup(group).catch(unlessThere);
  await cloudLogs.createLogStream(group, stream).catch(unlessThere);
}

export function isAwsError(thrown: unknown): thrown is AwsError {
  return thrown instanceof Error && thrown.name === "AwsError";
}
