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

/** Ours. Who publishes on ever new topics makes the others' be looked up anew. */
const TOPICS_MAX = 1000;

/** The message of a publication, with the topic it was published on. */
export type LocalEvent = JsonObject;

/** Publish and subscribe on the device: at most once, nothing kept, in order of publishing. */
export class LocalTopics {
  readonly #subscribers = new Set<Subscriber>();
  /** Who hears what is published on a topic, forgotten when anybody comes or goes. */
  readonly #hearing = new Map<string, readonly Subscriber[]>();

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
    this.#hearing.clear();
    return {
      close: () => {
        this.#subscribers.delete(subscriber);
        this.#hearing.clear();
      },
    };
  }

  /** Gives the event away: one subscriber has it, every other a copy. */
  publish(component: string, topic: string, event: LocalEvent): void {
    let last: Subscriber | undefined;
    for (const one of this.#hearingOn(topic)) {
      if (one.fromOthersOnly && one.component === component) continue;
      last?.send(copyJson(event));
      last = one;
    }
    last?.send(event);
  }

  #hearingOn(topic: string): readonly Subscriber[] {
    const known = this.#hearing.get(topic);
    if (known !== undefined) return known;
    const levels = levelsOf(topic);
    const name = levels.join("/");
    const hearing = [...this.#subscribers].filter((one) =>
      one.levels === undefined ? one.filter === name : matches(one.levels, levels),
    );
    if (this.#hearing.size >= TOPICS_MAX) this.#hearing.clear();
    this.#hearing.set(topic, hearing);
    return hearing;
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
