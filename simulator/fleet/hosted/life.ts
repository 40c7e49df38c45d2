/**
 * One run of a hosted component, from its start to its end. When it is over nobody is answered and nobody is called
 * any more: whoever awaits a port then waits for ever, as a killed process does.
 */
export class Life {
  #isOver = false;
  readonly #endings = new Set<() => void>();

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What an operating system does for a process that is gone: closes all it had open. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const ending of this.#endings) ending();
    this.#endings.clear();
  }

  /** Called when the life ends, unless the answer is called before. */
  onEnd(ending: () => void): () => void {
    if (this.#isOver) ending();
    else this.#endings.add(ending);
    return () => this.#endings.delete(ending);
  }

  /** The same answer, or none when the life ended first. */
  answer<Answer>(asked: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      asked.then(
        (answer) => {
          if (!this.#isOver) resolve(answer);
        },
        (failure: unknown) => {
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- handed on as it was thrown.
          if (!this.#isOver) reject(failure);
        },
      );
    });
  }

  /** The same function, deaf when the life is over. */
  hears<Heard extends unknown[]>(hear: (...heard: Heard) => void): (...heard: Heard) => void {
    return (...heard) => {
      if (!this.#isOver) hear(...heard);
    };
  }
}
