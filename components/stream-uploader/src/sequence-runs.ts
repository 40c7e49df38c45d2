/**
 * A set of sequence numbers as runs `first, first + step, …, last`. Numbers that arrive as instruments give them,
 * evenly spaced, make one run however many they are. The runs never overlap, nor reach into each other.
 */
export class SequenceRuns {
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  /** 0 for a run of one. */
  readonly #step: number[] = [];

  get runs(): number {
    return this.#first.length;
  }

  has(sequence: number): boolean {
    const at = this.#runAt(sequence);
    return at >= 0 && this.#holds(at, sequence);
  }

  /** Adds the number; false where it was there already. */
  add(sequence: number): boolean {
    const at = this.#runAt(sequence);
    if (at < 0) {
      this.#insert(0, sequence, sequence, 0);
      this.#join(0);
      return true;
    }
    if (this.#holds(at, sequence)) return false;
    const last = this.#last[at] ?? 0;
    const step = this.#step[at] ?? 0;
    if (sequence < last) {
      this.#split(at, sequence);
      this.#insert(at + 1, sequence, sequence, 0);
      this.#join(at + 1);
      this.#join(at);
    } else if (step === 0 || sequence - last === step) {
      this.#step[at] = sequence - last;
      this.#last[at] = sequence;
      this.#join(at);
    } else {
      this.#insert(at + 1, sequence, sequence, 0);
      this.#join(at + 1);
    }
    return true;
  }

  /** Takes the number out again. */
  remove(sequence: number): void {
    const at = this.#runAt(sequence);
    if (at < 0 || !this.#holds(at, sequence)) return;
    const first = this.#first[at] ?? 0;
    const last = this.#last[at] ?? 0;
    const step = this.#step[at] ?? 0;
    this.#delete(at, 1);
    if (sequence < last) this.#insertRun(at, sequence + step, last, step);
    if (sequence > first) this.#insertRun(at, first, sequence - step, step);
  }

  /** Forgets the lowest `count` runs. */
  forget(count: number): void {
    this.#delete(0, count);
  }

  /** `first, last, step` of each run, in order. */
  toNumbers(): number[] {
    return this.#first.flatMap((first, at) => [first, this.#last[at] ?? first, this.#step[at] ?? 0]);
  }

  static fromNumbers(numbers: readonly number[]): SequenceRuns {
    const made = new SequenceRuns();
    for (let at = 0; at + 2 < numbers.length; at += 3)
      made.#insert(made.runs, numbers[at] ?? 0, numbers[at + 1] ?? 0, numbers[at + 2] ?? 0);
    return made;
  }

  /** The last run that starts at or before the number, or −1. */
  #runAt(sequence: number): number {
    const runs = this.#first.length;
    // Nearly every number is the newest.
    if (runs === 0 || sequence >= (this.#first[runs - 1] ?? 0)) return runs - 1;
    let low = 0;
    let high = runs - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#first[middle] ?? 0) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #holds(at: number, sequence: number): boolean {
    const first = this.#first[at] ?? 0;
    const step = this.#step[at] ?? 0;
    return (
      sequence <= (this.#last[at] ?? 0) && (step === 0 ? sequence === first : (sequence - first) % step === 0)
    );
  }

  /** Ends the run before a number inside it that it does not hold; the rest becomes the next run. */
  #split(at: number, sequence: number): void {
    const first = this.#first[at] ?? 0;
    const last = this.#last[at] ?? 0;
    const step = this.#step[at] ?? 0;
    const before = first + Math.floor((sequence - first) / step) * step;
    this.#delete(at, 1);
    this.#insertRun(at, before + step, last, step);
    this.#insertRun(at, first, before, step);
  }

  #insertRun(at: number, first: number, last: number, step: number): void {
    this.#insert(at, first, last, first === last ? 0 : step);
  }

  #insert(at: number, first: number, last: number, step: number): void {
    if (at === this.#first.length) {
      this.#first.push(first);
      this.#last.push(last);
      this.#step.push(step);
      return;
    }
    this.#first.splice(at, 0, first);
    this.#last.splice(at, 0, last);
    this.#step.splice(at, 0, step);
  }

  #delete(at: number, count: number): void {
    this.#first.splice(at, count);
    this.#last.splice(at, count);
    this.#step.splice(at, count);
  }

  /** Makes one run of this and the next where their spacing allows. */
  #join(at: number): void {
    if (at + 1 >= this.#first.length) return;
    const distance = (this.#first[at + 1] ?? 0) - (this.#last[at] ?? 0);
    const fits = (step: number | undefined): boolean => step === 0 || step === distance;
    if (!fits(this.#step[at]) || !fits(this.#step[at + 1])) return;
    this.#last[at] = this.#last[at + 1] ?? 0;
    this.#step[at] = distance;
    this.#delete(at + 1, 1);
  }
}
