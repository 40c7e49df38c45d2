/** Closes what was opened, in reverse order, even when one close fails; then throws the first failure. */
export class Closing {
  readonly #closers: (() => Promise<void> | void)[] = [];

  /** Remembers how to close something just opened, and returns it. */
  add<Opened>(opened: Opened, close: (opened: Opened) => Promise<void> | void): Opened {
    this.#closers.push(() => close(opened));
    return opened;
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
