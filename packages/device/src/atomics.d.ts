/** Node 24 has it; TypeScript's libraries do not yet. */
interface Atomics {
  /** Tells the processor that a loop waits: it takes less power, and leaves more to the core's other thread. */
  pause(): void;
}
