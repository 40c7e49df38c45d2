import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Answered, Refusal } from "../door/asking.ts";
import { type Desk, type Heard, useDesk } from "./desk.ts";
import { repeating } from "./repeating.ts";

/** An answer that is kept up to date. After a refusal the value before stays, and both are shown. */
export interface Watched<Value> {
  readonly value: Value | undefined;
  /** When that was answered, on the monotonic clock. */
  readonly answeredMs: number;
  readonly refusal: Refusal | undefined;
}

const NOTHING = { value: undefined, answeredMs: 0, refusal: undefined };

/** Between two askings for the same, where a page says nothing else. */
const REST_MS = 500;

/**
 * Asks when the page opens (or `key` changes), whenever something is heard that concerns it, and now and then. `again`
 * asks at once.
 */
export function useWatched<Value>(
  key: string,
  ask: (desk: Desk) => Promise<Answered<Value>>,
  concerns: (heard: Heard) => boolean,
  seen?: (value: Value, parts: { readonly clocks: Pick<Desk["clocks"], "tell"> }) => void,
  restMs = REST_MS,
): { readonly watched: Signal<Watched<Value>>; readonly again: () => void } {
  const desk = useDesk();
  const watched = useSignal<Watched<Value>>(NOTHING);
  const again = useSignal<() => void>(() => undefined);
  useEffect(() => {
    watched.value = NOTHING;
    const asking = repeating({
      ask: () => ask(desk),
      answered(answer) {
        if (answer.kind === "answer") {
          seen?.(answer.value, desk);
          watched.value = { value: answer.value, answeredMs: performance.now(), refusal: undefined };
          return;
        }
        const { last } = answer;
        if (last === undefined || watched.value.value !== undefined) {
          watched.value = { ...watched.value, refusal: answer };
          return;
        }
        // The fleet's clock has gone on since.
        const { clocks } = desk;
        seen?.(last.value, { clocks: { tell: (fleet, nowMs) => clocks.tell(fleet, nowMs + last.ageMs) } });
        const answeredMs = performance.now() - last.ageMs;
        watched.value = { value: last.value, answeredMs, refusal: answer };
      },
      isLive: () => desk.line.value === "live",
      restMs,
    });
    again.value = asking.again;
    const stop = desk.listen((heard) => {
      if (concerns(heard)) asking.heard();
    });
    return () => {
      asking.stop();
      stop();
    };
  }, [key]);
  return { watched, again: () => again.value() };
}
