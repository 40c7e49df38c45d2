import { copyJson } from "@coalmine/ipc";
import type { JsonObject } from "@coalmine/ports";

interface Subscriber {
  readonly component: string;
  /** Without empty levels at the end. */
  readonly filter: string;
  /** Of a filter with wildcards; any other is its topic. */
  readonly levels: readonly string[] | undefined;
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
    const hasWildcard = levels.some((level) => level === "+") || levels.at(-1) === "#";
    const fromOthersOnly =
      receiveMode === undefined ? hasWildcard : receiveMode === "RECEIVE_MESSAGES_FROM_OTHERS";
    const isPattern = levels.some((level) => level === "+" || level === "#");
    const subscriber = {
      component,
      filter: levels.join("/"),
      levels: isPattern ? levels : undefined,
      fromOthersOnly,
      send,
    };
    this.#subscribers.add(subscriber);
    return { close: () => this.#subscribers.delete(subscriber) };
  }

  /** Gives the event away: one subscriber has it, every other a copy. */
  publish(component: string, topic: string, event: LocalEvent): void {
    const levels = levelsOf(topic);
    const name = levels.join("/");
    const concerned: Subscriber[] = [];
    for (const one of this.#subscribers) {
      if (one.fromOthersOnly && one.component === component) continue;
      if (one.levels === undefined ? one.filter === name : matches(one.levels, levels)) concerned.push(one);
    }
    const last = concerned.pop();
    for (const { send } of concerned) send(copyJson(event));
    last?.send(event);
  }
}

/** Empty levels at the end do not count. */
function levelsOf(topic: string): readonly string[] {
  const levels = topic.split("/");
  while (levels.length > 1 && levels.at(-1) === "") levels.pop();
  return levels;
}

/** Unlike MQTT's, this `#` needs at least one level, is as `+` where others follow, and `$` topics are as any other. */
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  for (const [index, level] of filter.entries()) {
    if (topic[index] === undefined) return false;
    if (level === "#" && index === filter.length - 1) return true;
    if (level !== "+" && level !== "#" && level !== topic[index]) return false;
  }
  return filter.length === topic.length;
}
