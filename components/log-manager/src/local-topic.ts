import { type LocalLogEvents, topics } from "@coalmine/contract";
import type { Clock, Ipc, Timer } from "@coalmine/ports";
import type { Dated } from "./event-maker.ts";

/** One message a component and this long: ten a second. */
const EVERY_MS = 100;
const EVENTS_MAX = 100;
/** Well below the 128 KB that IPC carries. */
const CHARACTERS_MAX = 32 * 1024;
const MESSAGE_CHARACTERS_MAX = 4096;

/**
 * New events on a local topic, for whoever looks at a device now. Bounded: what is too much for one message every tenth
 * of a second is left out and counted, and long events are cut. Nothing waits for it.
 */
export class LocalTopic {
  readonly #clock: Clock;
  readonly #ipc: Pick<Ipc, "publish">;
  readonly #waiting = new Map<
    string,
    { events: LocalLogEvents["events"]; characters: number; dropped: number }
  >();
  #timer: Timer | undefined;
  dropped = 0;

  constructor(clock: Clock, ipc: Pick<Ipc, "publish">) {
    this.#clock = clock;
    this.#ipc = ipc;
  }

  add(component: string, { timestampMs, level }: Dated, text: string): void {
    const message = text.length > MESSAGE_CHARACTERS_MAX ? `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…` : text;
    const waiting = this.#waiting.get(component) ?? { events: [], characters: 0, dropped: 0 };
    this.#waiting.set(component, waiting);
    if (waiting.events.length >= EVENTS_MAX || waiting.characters + message.length > CHARACTERS_MAX) {
      waiting.dropped++;
      this.dropped++;
    } else {
      waiting.events.push({ timestampMs, ...(level === undefined ? {} : { level }), message });
      waiting.characters += message.length;
    }
    this.#timer ??= this.#clock.timer(EVERY_MS, () => this.#publish());
  }

  close(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #publish(): void {
    this.#timer = undefined;
    for (const [component, { events, dropped }] of this.#waiting) {
      const json: LocalLogEvents = { version: 1, component, events, dropped };
      // Nobody waits for it: what cannot be published now is old a moment later.
      void this.#ipc.publish(topics.logs(component), { json }).catch(() => undefined);
    }
    this.#waiting.clear();
  }
}
