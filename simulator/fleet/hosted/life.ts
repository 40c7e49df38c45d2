/**
 * One run of a hosted component, from its start to its end. When it is over nobody is answered and nobody is called
 * any more: whoever awaits a port then waits for ever, as a killed process does.
 */
export class Life {
  #isOver = false;
  readonly #endings = new Set<() => void>();
  readonly #answered = <Answer>(answer: Answer): Answer | Promise<Answer> =>
    this.#isOver ? unanswered() : answer;
  readonly #refused = <Answer>(failure: unknown): Promise<Answer> => {
    if (this.#isOver) return unanswered();
    throw failure;
  };

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
    // Every call of every component comes by here: two functions serve them all.
    return asked.then<Answer, Answer>(this.#answered, this.#refused);
  }

  /** The same function, deaf when the life is over. */
  hears<Heard extends unknown[]>(hear: (...heard: Heard) => void): (...heard: Heard) => void {
    return (...heard) => {
      if (!this.#isOver) hear(...heard);
    };
  }
}

function unanswered(): Promise<never> {
  return new Promise(() => undefined);
}
