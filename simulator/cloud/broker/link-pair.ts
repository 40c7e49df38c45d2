import type { Link, LinkClosed } from "@coalmine/ports";

/** Two ends of one in-memory byte stream. What is written arrives when the writer's turn is over, in order. */
export function linkPair(): readonly [Link, Link] {
  const a = new End();
  const b = new End();
  a.other = b;
  b.other = a;
  return [a, b];
}

class End implements Link {
  other: End | undefined;
  #receive: ((bytes: Uint8Array) => void) | undefined;
  #closed: ((why: LinkClosed) => void) | undefined;
  #early: Uint8Array[] = [];
  #open = true;

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#open) throw new Error("cannot write: the link is closed");
    // A copy: the writer may use its buffer again.
    const copy = new Uint8Array(bytes);
    await Promise.resolve();
    this.other?.arrive(copy);
  }

  onData(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
    for (const bytes of this.#early.splice(0)) receive(bytes);
  }

  onClose(closed: (why: LinkClosed) => void): void {
    this.#closed = closed;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#closed?.({ by: "us" });
    // After what was written before.
    await Promise.resolve();
    await Promise.resolve();
    this.other?.hangUp();
  }

  arrive(bytes: Uint8Array): void {
    if (!this.#open) return;
    if (this.#receive === undefined) this.#early.push(bytes);
    else this.#receive(bytes);
  }

  hangUp(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed?.({ by: "other", reason: "the other end closed" });
  }
}
