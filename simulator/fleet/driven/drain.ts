/** Drains between two turns of the process's own event loop, in which it serves reads. */
const DRAINS_PER_TURN = 32;

/**
 * Gives every resolved promise its turn, for a driven clock. What a promise's turn hands to `nextTick` is called when
 * no promise is left to run, so most drains need no turn of the event loop, which costs as much as many an event.
 */
export function drainPromises(): () => Promise<void> {
  let drains = 0;
  return () =>
    new Promise<void>((drained) => {
      if (++drains % DRAINS_PER_TURN === 0) setImmediate(drained);
      else queueMicrotask(() => process.nextTick(drained));
    });
}
