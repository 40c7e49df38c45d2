import type { DeviceState } from "@coalmine/contract/operator-api";
import type { ComponentChildren } from "preact";

/** How bad something is. Each has a shape of its own: colour only repeats it. */
export type Tone = "good" | "busy" | "warn" | "bad" | "off" | "none";

const shapes: Readonly<Record<Tone, string>> = {
  // A disc with a tick, a half-filled ring, a triangle, a square with a cross, a bar, an empty ring.
  good: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1.2 9.9L3.6 7.7l1.3-1.3 1.9 1.9 4.3-4.3 1.3 1.3Z",
  busy: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2v10A5 5 0 0 1 8 3Z",
  warn: "M8 1 .5 15h15Zm-.9 5h1.8v4.5H7.1Zm0 5.5h1.8v1.8H7.1Z",
  bad: "M1 1h14v14H1Zm3.2 2.1L3.1 4.2 6.9 8l-3.8 3.8 1.1 1.1L8 9.1l3.8 3.8 1.1-1.1L9.1 8l3.8-3.8-1.1-1.1L8 6.9Z",
  off: "M1 5.5h14v5H1Zm1.8 1.8v1.4h10.4V7.3Z",
  none: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8Z",
};

/** A shape and a word. */
export function Status({ tone, word }: { readonly tone: Tone; readonly word: ComponentChildren }) {
  return (
    <span class={`status ${tone}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path fill-rule="evenodd" d={shapes[tone]} />
      </svg>
      {word}
    </span>
  );
}

export const stateTones: Readonly<Record<DeviceState, Tone>> = {
  well: "good",
  updating: "busy",
  offline: "off",
  silent: "warn",
  failing: "bad",
  unseen: "none",
};
/** Worst first, as who looks for trouble reads. */
export const statesWorstFirst = ["failing", "silent", "unseen", "offline", "updating", "well"] as const;
