import type { Store } from "../store/store.ts";

/** Commits of a store that end in the order in which they were asked for, so that what waits for them keeps its order. */
export class OrderedCommits {
  readonly #store: Pick<Store, "commit">;
  #last: Promise<void> = Promise.resolve();

  constructor(store: Pick<Store, "commit">) {
    this.#store = store;
  }

  /** Resolves when all that was set before is durable, and after whoever asked before; rejects when the store fails. */
  next(): Promise<void> {
    const committed = this.#store.commit();
    // Its failure is met when its turn comes.
    committed.catch(() => {});
    this.#last = this.#last.then(
      () => committed,
      () => committed,
    );
    return this.#last;
  }
}
