import { readEvents, type StreamEvent } from "./events.ts";

/** After a cut: twice as long each time, so that a server that comes back is not met by everybody at once. */
const AGAIN_MS = [500, 1000, 2000, 4000, 8000] as const;
/** Where a server ends each stream after what there was, as one on Lambda does: what happens is still here within two seconds. */
const NEXT_MS = 1500;
/** A stream says every 15 s that it is alive. What is silent for longer than two of those is cut here. */
const SILENCE_MS_MAX = 40_000;

export type Line = "connecting" | "live" | "lost" | "refused";

export interface LiveParts {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly heard: (event: StreamEvent) => void;
  readonly line: (line: Line) => void;
}

/**
 * Follows a stream until the signal: after a cut it goes on behind the last event that was heard, so that none is missed
 * and none comes twice.
 */
export async function follow(path: string, parts: LiveParts, signal: AbortSignal): Promise<void> {
  let id = "";
  for (let cuts = 0; !signal.aborted; cuts++) {
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const alive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
    };
    alive();
    let hasEnded = false;
    try {
      const answer = await parts.fetch(path, {
        headers: {
          accept: "text/event-stream",
          ...(id === "" ? {} : { "last-event-id": id }),
        },
        signal: AbortSignal.any([signal, silence.signal]),
      });
      if (answer.status === 401 || answer.status === 403) return parts.line("refused");
      if (answer.ok && answer.body !== null) {
        parts.line("live");
        for await (const event of readEvents(answer.body, id)) {
          alive();
          cuts = 0;
          id = event.id;
          parts.heard(event);
          hasEnded = true;
        }
      }
    } catch {
      // Cut, unreachable or silent: all the same, it is tried again.
      hasEnded = false;
    } finally {
      clearTimeout(timer);
    }
    if (signal.aborted) return;
    if (!hasEnded) parts.line("lost");
    await parts.sleep(hasEnded ? NEXT_MS : (AGAIN_MS[Math.min(cuts, AGAIN_MS.length - 1)] ?? 0), signal);
  }
}
