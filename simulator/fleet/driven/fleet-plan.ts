import { type DeviceMake, usualMake } from "../hosted/hosted-device.ts";

/** Where a device stands, and of what make it is. */
export interface PlannedDevice extends DeviceMake {
  readonly site: string;
  readonly deviceClass: string;
  /** Of its thing, beyond those that the settings have. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Whether it loses its line now and then; undefined leaves that to the share of bad lines. */
  readonly hasUnsteadyLine?: boolean;
}

/** A fleet of devices that differ in nothing. */
export const usualDevice: PlannedDevice = {
  ...usualMake,
  site: "site",
  deviceClass: "gateway",
  attributes: {},
};

/** How many of `count` each share has, all of them together `count`: the largest remainders are rounded up. */
export function apportioned(count: number, shares: readonly number[]): readonly number[] {
  const exact = shares.map((share) => share * count);
  const counts = exact.map(Math.floor);
  const byRemainder = [...exact.keys()].sort(
    (one, other) => (exact[other] ?? 0) - (counts[other] ?? 0) - ((exact[one] ?? 0) - (counts[one] ?? 0)),
  );
  let left = count - counts.reduce((sum, one) => sum + one, 0);
  for (const index of byRemainder) {
    if (left-- <= 0) break;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}
