import type { Clock } from "@coalmine/ports";
import { fnv1a } from "./fnv1a.ts";

/** A timer may fire a moment before its time: what was due then has been done. */
const EARLY_SHARE = 0.01;

/** Where in every interval a device has its turn, in ms: others of a fleet have it elsewhere. */
export function phaseOf(thing: string): number {
  return fnv1a(thing) >>> 0;
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
