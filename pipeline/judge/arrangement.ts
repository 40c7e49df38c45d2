import { SeededRandom } from "@coalmine/runtime";
import type { Bundle } from "./bundle.ts";
import { exp, log } from "./exact-math.ts";

/**
 * Who was assigned to what, as arrays: the unit of assignment is the cluster, and units are re-drawn within strata.
 * Draw 0 is the real one.
 */
export interface Arrangement {
  readonly deviceCount: number;
  readonly isCanary: Uint8Array;
  readonly unitOf: Int32Array;
  readonly unitSize: Float64Array;
  readonly unitCount: number;
  readonly stratumOf: Int32Array;
  /** Units drawn for the canary, per stratum, and all units of it. */
  readonly drawnOf: Int32Array;
  readonly sizeOf: Int32Array;
  /** Unit numbers of each draw's canary, stratum by stratum, ascending, one draw after the other. */
  readonly draws: Int32Array;
  readonly drawCount: number;
  readonly canaryUnits: number;
  /** Logarithm of how many different draws there are. */
  readonly logPossibleDraws: number;
}

/** The arrangement, or a sentence that says why these devices and this canary cannot be compared. */
export function arrange(bundle: Pick<Bundle, "devices" | "draw" | "policy">): Arrangement | string {
  const { devices, draw, policy } = bundle;
  const canary = new Set(draw.canary);
  const strata = numbering(devices.map(({ stratum }) => stratum));
  const units = numbering(devices.map(({ cluster }) => cluster));
  const unitOf = Int32Array.from(devices, ({ cluster }) => units.get(cluster) ?? -1);
  const isCanary = Uint8Array.from(devices, ({ thing }) => (canary.has(thing) ? 1 : 0));
  const unitSize = new Float64Array(units.size);
  const stratumOf = new Int32Array(units.size).fill(-1);
  const unitIsCanary = new Int8Array(units.size).fill(-1);
  for (const [index, device] of devices.entries()) {
    const unit = unitOf[index] ?? 0;
    const stratum = strata.get(device.stratum) ?? 0;
    unitSize[unit] = (unitSize[unit] ?? 0) + 1;
    if (stratumOf[unit] !== -1 && stratumOf[unit] !== stratum)
      return `cluster ${device.cluster} lies in two strata`;
    stratumOf[unit] = stratum;
    if (unitIsCanary[unit] !== -1 && unitIsCanary[unit] !== isCanary[index])
      return `cluster ${device.cluster} is split between canary and baseline`;
    unitIsCanary[unit] = isCanary[index] ?? 0;
  }
  if (canary.size === 0) return "no device is a canary";
  const known = isCanary.reduce((sum, one) => sum + one, 0);
  if (known !== canary.size) return "the canary names a device that is not listed, or one twice";
  if (known === devices.length) return "no device is left as baseline";
  const drawnOf = new Int32Array(strata.size);
  const sizeOf = new Int32Array(strata.size);
  for (let unit = 0; unit < units.size; unit++) {
    const stratum = stratumOf[unit] ?? 0;
    sizeOf[stratum] = (sizeOf[stratum] ?? 0) + 1;
    if (unitIsCanary[unit] === 1) drawnOf[stratum] = (drawnOf[stratum] ?? 0) + 1;
  }
  const canaryUnits = drawnOf.reduce((sum, one) => sum + one, 0);
  const shape = { unitCount: units.size, stratumOf, drawnOf, sizeOf, canaryUnits };
  return {
    ...shape,
    deviceCount: devices.length,
    isCanary,
    unitOf,
    unitSize,
    drawCount: policy.draws + 1,
    draws: redraw(shape, unitIsCanary, policy.draws, draw.seed),
    logPossibleDraws: logPossibleDraws(sizeOf, drawnOf),
  };
}

/** Σ over strata of ln C(size, drawn). */
export function logPossibleDraws(sizeOf: ArrayLike<number>, drawnOf: ArrayLike<number>): number {
  let total = 0;
  for (let stratum = 0; stratum < sizeOf.length; stratum++)
    for (let k = 1; k <= (drawnOf[stratum] ?? 0); k++)
      total += log(((sizeOf[stratum] ?? 0) - (drawnOf[stratum] ?? 0) + k) / k);
  return total;
}

/** The smallest p that a comparison can reach, by the number of draws that there are and that are made. */
export function smallestP(logPossible: number, draws: number): number {
  return Math.max(exp(-logPossible), 1 / (draws + 1));
}

type Shape = Pick<Arrangement, "unitCount" | "stratumOf" | "drawnOf" | "sizeOf" | "canaryUnits">;

function redraw(shape: Shape, real: Int8Array, draws: number, seed: string): Int32Array {
  const { unitCount, stratumOf, drawnOf, sizeOf, canaryUnits } = shape;
  const members = Array.from(sizeOf, (size) => new Int32Array(size));
  const filled = new Int32Array(sizeOf.length);
  for (let unit = 0; unit < unitCount; unit++) {
    const stratum = stratumOf[unit] ?? 0;
    const at = filled[stratum] ?? 0;
    const list = members[stratum];
    if (list !== undefined) list[at] = unit;
    filled[stratum] = at + 1;
  }
  const random = new SeededRandom(seed).fork("redraws");
  const out = new Int32Array((draws + 1) * canaryUnits);
  let next = 0;
  for (const list of members) for (const unit of list) if (real[unit] === 1) out[next++] = unit;
  for (let drawIndex = 1; drawIndex <= draws; drawIndex++)
    for (const [stratum, list] of members.entries()) {
      const take = drawnOf[stratum] ?? 0;
      for (let index = 0; index < take; index++) {
        const other = index + random.below(list.length - index);
        const unit = list[other] ?? 0;
        list[other] = list[index] ?? 0;
        list[index] = unit;
      }
      // Ascending, so that equal draws add up in the same order to the same bits, and tie.
      out.set(list.subarray(0, take).toSorted(), next);
      next += take;
    }
  return out;
}

function numbering(names: readonly string[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const name of names) if (!numbers.has(name)) numbers.set(name, numbers.size);
  return numbers;
}
