import { logPossibleDraws, smallestP } from "./judge/arrangement.ts";
import type { Device } from "./judge/bundle.ts";
import { draw } from "./judge/draw.ts";

/** What a canary of so many devices would be, whoever is drawn: how many clusters follow from sizes, not from the seed. */
export interface Ways {
  readonly drawnDevices: number;
  readonly drawnClusters: number;
  readonly clusters: number;
  /** The smallest p that the draw can reach. */
  readonly smallestP: number;
}

/** @throws DrawRefused */
export function waysToDraw(devices: readonly Device[], canaryDevices: number, redraws: number): Ways {
  const canary = new Set(draw(devices, canaryDevices, "any").canary);
  const strata = new Map<string, { all: Set<string>; drawn: Set<string> }>();
  for (const { thing, stratum, cluster } of devices) {
    const own = strata.get(stratum) ?? { all: new Set(), drawn: new Set() };
    strata.set(stratum, own);
    own.all.add(cluster);
    if (canary.has(thing)) own.drawn.add(cluster);
  }
  const all = [...strata.values()].map((own) => own.all.size);
  const drawn = [...strata.values()].map((own) => own.drawn.size);
  return {
    drawnDevices: canary.size,
    drawnClusters: sum(drawn),
    clusters: sum(all),
    smallestP: smallestP(logPossibleDraws(all, drawn), redraws),
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
