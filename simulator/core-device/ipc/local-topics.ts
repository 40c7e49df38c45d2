import { copyJson } from "@coalmine/ipc";
import type { JsonObject } from "@coalmine/ports";

interface Subscriber {
  readonly component: string;
  readonly levels: readonly string[];
  readonly fromOthersOnly: boolean;
  readonly send: (event: JsonObject) => void;
}

/** The message of a publication, with the topic it was published on. */
export type LocalEvent = JsonObject;

/** Publish and subscribe on the device: at most once, nothing kept, in order of publishing. */
export class LocalTopics {
  readonly #subscribers = new Set<Subscriber>();

  subscribe(
    component: string,
    filter: string,
    receiveMode: "RECEIVE_ALL_MESSAGES" | "RECEIVE_MESSAGES_FROM_OTHERS" | undefined,
    send: (event: LocalEvent) => void,
  ): { close(): void } {
    const levels = levelsOf(filter);
    const hasWildcard = levels.some((level) => level === "+" || level === "#");
    const fromOthersOnly =
      receiveMode === undefined ? hasWildcard : receiveMode === "RECEIVE_MESSAGES_FROM_OTHERS";
    const subscriber = { component, levels, fromOthersOnly, send };
    this.#subscribers.add(subscriber);
    return { close: () => this.#subscribers.delete(subscriber) };
  }

  /** Gives the event away: one subscriber has it, every other a copy. */
  publish(component: string, topic: string, event: LocalEvent): void {
    const levels = levelsOf(topic);
    const concerned = Array.from(this.#subscribers).filter(
      (one) => !(one.fromOthersOnly && one.component === component) && matches(one.levels, levels),
    );
    for (const [index, { send }] of concerned.entries())
      send(index === concerned.length - 1 ? event : copyJson(event));
  }
}

/** Empty levels at the end do not count. */
function levelsOf(topic: string): readonly string[] {
  const levels = topic.split("/");
  while (levels.length > 1 && levels.at(-1) === "") levels.pop();
  return levels;
}

/** Unlike MQTT's, this `#` needs at least one level, and `$` topics are as any other. */
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  for (let index = 0; index < filter.length; index++) {
    const level = filter[index];
    if (level === "#") return topic.length > index;
    if (topic[index] === undefined || (level !== "+" && level !== topic[index])) return false;
  }
  return filter.length === topic.length;
}
