/**
 * The root of every failure that a caller or a person can act on. `code` is from a closed set (docs/errors.md lists
 * them); the message says what, with which values, and what to do next.
 */
export abstract class CoalmineError extends Error {
  abstract readonly code: string;
  override get name(): string {
    return this.constructor.name;
  }
}

/** A promise of our own that does not hold. Not to be handled: the process should end and start again. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws `InvariantError` unless `condition` holds. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new InvariantError(what);
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
