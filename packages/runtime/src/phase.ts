import type { Clock } from "@coalmine/ports";

/** A timer may fire a moment before its time: what was due then has been done. */
const EARLY_SHARE = 0.01;

/** Where in every interval a device has its turn, in ms: others of a fleet have it elsewhere. */
export function phaseOf(thing: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < thing.length; index++)
    hash = Math.imul(hash ^ thing.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}

/**
 * From now until the next such instant of the wall's clock, in ms. The components of a device have no other clock in common:
 * by this one they do what they do at intervals together, and the device wakes once.
 */
export function untilPhase(clock: Pick<Clock, "now">, phaseMs: number, intervalMs: number): number {
  const past = (clock.now() - phaseMs) % intervalMs;
  const left = past > 0 ? intervalMs - past : -past;
  return left <= EARLY_SHARE * intervalMs ? left + intervalMs : left;
}
