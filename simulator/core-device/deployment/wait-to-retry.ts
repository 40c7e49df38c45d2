import type { Clock, Random } from "@coalmine/ports";

const INTERVAL_MS = 60_000;

/** Before the cloud is asked again: a minute, of which half is left to chance, so that a fleet does not ask in step. */
export function waitToRetry(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  signal: AbortSignal,
): Promise<void> {
  return clock.sleep((INTERVAL_MS / 2) * (1 + random.next()), signal);
}
