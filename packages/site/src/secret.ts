const CONCEALED = "(secret)";

/** A passphrase or password. Whatever prints it, a log, JSON or an error, prints a placeholder; only `reveal` tells it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return CONCEALED;
  }

  toJSON(): string {
    return CONCEALED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return CONCEALED;
  }
}
