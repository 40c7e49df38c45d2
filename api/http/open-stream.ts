import type { Clock } from "@coalmine/ports";
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";

/** What goes through a stream of events, and how far it was sent. */
export interface StreamSource {
  /** What whoever comes back names as `Last-Event-ID`. */
  place(): string;
  /** Sends what is new; whether there was anything. */
  tell(stream: SSEStreamingApi): Promise<boolean>;
  beat(): object;
}

export interface StreamPace {
  readonly clock: Pick<Clock, "sleep">;
  /** Whether the stream may stay open: it ends with its listener's session. */
  readonly goesOn: () => Promise<boolean>;
  readonly lookEveryMs: number;
  /** Looks without anything new before a beat says that the stream is alive. */
  readonly quietLooksMax: number;
}

/** Looks for news again and again until whoever listens is gone, or may listen no more. */
export function openStream(
  context: Context,
  { clock, goesOn, lookEveryMs, quietLooksMax }: StreamPace,
  open: () => Promise<StreamSource>,
): Response {
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const source = await open();
    // Its id lets a stream that is cut before its first event go on from here.
    await stream.writeSSE({ event: "place", id: source.place(), data: "" });
    for (let quiet = 0; !gone.signal.aborted; quiet++) {
      if (await source.tell(stream)) quiet = 0;
      const isLast = !(await goesOn());
      if (quiet >= quietLooksMax || isLast) {
        await stream.writeSSE({ event: "beat", id: source.place(), data: JSON.stringify(source.beat()) });
        quiet = 0;
      }
      if (isLast) return;
      await clock.sleep(lookEveryMs, gone.signal).catch(() => undefined);
    }
  });
}
