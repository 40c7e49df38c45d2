import type { Clock, Instant } from "@coalmine/ports";
import type { Store, Table } from "../store/store.ts";
import { fromStored, isExpired, type Message, type StoredMessage, toStored } from "./message.ts";
import { TopicTree } from "./topic-tree.ts";

export interface KeptMessage {
  readonly message: Message;
  readonly storedAt: Instant;
}
type StoredRetained = StoredMessage & { readonly storedAt?: Instant };

/** The last retained message of each topic. */
export class Retained {
  readonly #table: Table<StoredRetained>;
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

  /** Why no more can be retained on this topic. */
  faultOn(topic: string): string | undefined {
    const isNew = this.#table.get(topic) === undefined;
    return isNew && this.size >= this.#max ? `${this.#max} messages are retained already` : undefined;
  }

  /** An empty payload removes [MQTT-3.3.1-6]. */
  set(message: Message): void {
    if (message.payload.length === 0) this.#table.delete(message.topic);
    else this.#table.set(message.topic, { ...toStored(message), storedAt: this.#clock.now() });
  }

  get(topic: string): KeptMessage | undefined {
    const stored = this.#table.get(topic);
    return stored === undefined ? undefined : this.#kept(stored);
  }

  /** In order of topic. */
  all(): KeptMessage[] {
    return [...this.#table.entries()].flatMap(([, stored]) => this.#kept(stored) ?? []);
  }

  matching(filter: string): Message[] {
    if (!/[+#]/.test(filter)) {
      const kept = this.get(filter);
      return kept === undefined ? [] : [kept.message];
    }
    const tree = new TopicTree<true>();
    tree.set(filter, "", true);
    const prefix = filter.slice(0, filter.search(/[+#]/)).replace(/\/$/, "");
    return [...this.#table.entries(prefix)].flatMap(([topic, stored]) =>
      tree.match(topic).length > 0 ? (this.#kept(stored)?.message ?? []) : [],
    );
  }

  /** Undefined for what has expired. */
  #kept(stored: StoredRetained): KeptMessage | undefined {
    const message = fromStored(stored);
    return isExpired(message, this.#clock.now()) ? undefined : { message, storedAt: stored.storedAt ?? 0 };
  }
}
