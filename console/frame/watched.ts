import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Answered, Refusal } from "../door/asking.ts";
import { type Desk, type Heard, useDesk } from "./desk.ts";

/** An answer that is kept up to date. After a refusal the value before stays, and both are shown. */
export interface Watched<Value> {
  readonly value: Value | undefined;
  /** When that was answered, on the monotonic clock. */
  readonly answeredMs: number;
  readonly refusal: Refusal | undefined;
}

const NOTHING = { value: undefined, answeredMs: 0, refusal: undefined };

/** Between two askings for the same, where a page says nothing else: a wave makes hundreds of events a second. */
const REST_MS = 500;
/** Asked anew although nothing was heard: what no event tells, and all there is where the stream is cut. */
const LIVE_MS = 30_000;
const LOST_MS = 10_000;

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
    let [isGone, isAsking, isWanted] = [false, false, false];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (ms: number): void => {
      clearTimeout(timer);
      if (!isGone) timer = setTimeout(() => void now(), ms);
    };
    const now = async (): Promise<void> => {
      if (isAsking) return void (isWanted = true);
      [isAsking, isWanted] = [true, false];
      const answered = await ask(desk);
      isAsking = false;
      // Something else is shown by now.
      if (isGone) return;
      if (answered.kind === "answer") {
        seen?.(answered.value, desk);
        watched.value = { value: answered.value, answeredMs: performance.now(), refusal: undefined };
      } else {
        const { last } = answered;
        if (last === undefined || watched.value.value !== undefined)
          watched.value = { ...watched.value, refusal: answered };
        else {
          // The fleet's clock has gone on since.
          const { clocks } = desk;
          seen?.(last.value, { clocks: { tell: (fleet, nowMs) => clocks.tell(fleet, nowMs + last.ageMs) } });
          const answeredMs = performance.now() - last.ageMs;
          watched.value = { value: last.value, answeredMs, refusal: answered };
        }
      }
      later(isWanted ? restMs : desk.line.value === "live" ? LIVE_MS : LOST_MS);
    };
    watched.value = NOTHING;
    again.value = () => void now();
    void now();
    let rest: ReturnType<typeof setTimeout> | undefined;
    const stop = desk.listen((heard) => {
      if (!concerns(heard)) return;
      rest ??= setTimeout(() => {
        rest = undefined;
        void now();
      }, restMs);
    });
    return () => {
      isGone = true;
      clearTimeout(timer);
      clearTimeout(rest);
      stop();
    };
  }, [key]);
  return { watched, again: () => again.value() };
}
