import type { Clock } from "@coalmine/ports";
import type { Store, Table } from "../store/store.ts";
import { fromStored, isExpired, type Message, type StoredMessage, toStored } from "./message.ts";
import { TopicTree } from "./topic-tree.ts";

/** The last retained message of each topic. */
export class Retained {
  readonly #table: Table<StoredMessage>;
  readonly #clock: Clock;
  readonly #max: number;

  constructor(store: Store, clock: Clock, max: number) {
    this.#table = store.table("mqtt-retained");
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#table.size;
  }

  fault(message: Message): string | undefined {
    const isNew = this.#table.get(message.topic) === undefined;
    return isNew && this.size >= this.#max ? `${this.#max} messages are retained already` : undefined;
  }

  /** An empty payload removes [MQTT-3.3.1-6]. */
  set(message: Message): void {
    if (message.payload.length === 0) this.#table.delete(message.topic);
    else this.#table.set(message.topic, toStored(message));
  }

  matching(filter: string): Message[] {
    if (!/[+#]/.test(filter)) {
      const stored = this.#table.get(filter);
      return stored === undefined ? [] : this.#alive(fromStored(stored));
    }
    const tree = new TopicTree<true>();
    tree.set(filter, "", true);
    const prefix = filter.slice(0, filter.search(/[+#]/)).replace(/\/$/, "");
    const found: Message[] = [];
    for (const [topic, stored] of this.#table.entries(prefix))
      if (tree.match(topic).length > 0) found.push(...this.#alive(fromStored(stored)));
    return found;
  }

  #alive(message: Message): Message[] {
    return isExpired(message, this.#clock.now()) ? [] : [message];
  }
}
