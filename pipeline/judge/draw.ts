import { CoalmineError, SeededRandom } from "@coalmine/runtime";
import type { Draw } from "./bundle.ts";

interface Drawable {
  readonly thing: string;
  readonly stratum: string;
  readonly cluster: string;
}

export interface DrawnOrder {
  /** All devices, in the order in which they get the release: the canary first. Clusters stay together. */
  readonly order: readonly string[];
  readonly canary: readonly string[];
}

/** A draw that cannot be made from these devices. */
export class DrawRefused extends CoalmineError {
  readonly code = "ERR_DRAW_IMPOSSIBLE";
}

/**
 * Draws at most `canaryDevices` of the devices: in proportion within each stratum, whole clusters only, and the order
 * of all the rest in the same go. The same devices and seed give the same draw, in whatever order they are listed.
 */
export function draw(devices: readonly Drawable[], canaryDevices: number, seed: string): DrawnOrder {
  if (!Number.isInteger(canaryDevices) || canaryDevices < 1 || canaryDevices >= devices.length)
    throw new DrawRefused(
      `cannot draw ${canaryDevices} canary devices of ${devices.length}: at least 1 must be drawn and at least 1 left as baseline`,
    );
  const strata = clustersByStratum(devices);
  const shares = allocate(
    [...strata.values()].map((clusters) => clusters.reduce((sum, cluster) => sum + cluster.length, 0)),
    canaryDevices,
  );
  const random = new SeededRandom(seed).fork("draw");
  const canary: string[] = [];
  const rest: (readonly string[])[] = [];
  for (const [index, clusters] of [...strata.values()].entries()) {
    const taken = clustersThatFit(
      clusters.map((cluster) => cluster.length),
      shares[index] ?? 0,
    );
    const shuffled = shuffle(clusters, random);
    canary.push(...shuffled.slice(0, taken).flat());
    rest.push(...shuffled.slice(taken));
  }
  if (canary.length === 0)
    throw new DrawRefused(
      `cannot draw ${canaryDevices} canary devices: every cluster is larger than its stratum's share; raise the number or split the clusters`,
    );
  return { order: [...canary, ...shuffle(rest, random).flat()], canary };
}

/** A bundle's `draw`. */
export function drawOf(devices: readonly Drawable[], asked: number, seed: string): Draw {
  const { canary } = draw(devices, asked, seed);
  return { how: "drawn", seed, canary: [...canary], ...(canary.length === asked ? {} : { asked }) };
}

function clustersByStratum(devices: readonly Drawable[]): Map<string, string[][]> {
  const sorted = [...devices].sort(
    (a, b) => compare(a.stratum, b.stratum) || compare(a.cluster, b.cluster) || compare(a.thing, b.thing),
  );
  const strata = new Map<string, string[][]>();
  let last: Drawable | undefined;
  for (const device of sorted) {
    const clusters = strata.get(device.stratum) ?? [];
    strata.set(device.stratum, clusters);
    const joins = last?.stratum === device.stratum && last.cluster === device.cluster;
    if (joins) clusters.at(-1)?.push(device.thing);
    else clusters.push([device.thing]);
    last = device;
  }
  return strata;
}

/** By largest remainder. `compare` below, not the locale's order: that differs between machines. */
function allocate(sizes: readonly number[], total: number): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const whole = sizes.map((size) => Math.floor((total * size) / all));
  const left = total - whole.reduce((sum, share) => sum + share, 0);
  const byRemainder = sizes
    .map((size, index) => ({ index, remainder: (total * size) % all }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, left)) whole[index] = (whole[index] ?? 0) + 1;
  return whole;
}

/** So many clusters that even the largest ones do not exceed the share: every cluster is then equally likely. */
function clustersThatFit(sizes: readonly number[], share: number): number {
  let devices = 0;
  let taken = 0;
  for (const size of [...sizes].sort((a, b) => b - a)) {
    devices += size;
    if (devices > share) break;
    taken++;
  }
  return taken;
}

function shuffle<T>(items: readonly T[], random: SeededRandom): T[] {
  const pool = [...items];
  const out: T[] = [];
  while (pool.length > 0) out.push(...pool.splice(random.below(pool.length), 1));
  return out;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
