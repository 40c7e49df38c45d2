/** Which points of one start of one instrument were seen: of a large fleet tens of millions, so each is one small number. */
export class Points {
  readonly #sequences = new Map<string, Set<number>>();

  /** False where it was seen before. */
  add(sequence: number, channel: string): boolean {
    const seen = this.#sequences.get(channel);
    if (seen === undefined) {
      this.#sequences.set(channel, new Set([sequence]));
      return true;
    }
    if (seen.has(sequence)) return false;
    seen.add(sequence);
    return true;
  }

  channelsAt(sequence: number): number {
    let channels = 0;
    for (const seen of this.#sequences.values()) if (seen.has(sequence)) channels++;
    return channels;
  }

  get size(): number {
    let size = 0;
    for (const seen of this.#sequences.values()) size += seen.size;
    return size;
  }
}
