/** The solver gives up after so many steps; by halving alone it needs fewer than 60 for any bracket of doubles. */
const STEPS_MAX = 1000;

interface Point {
  readonly at: number;
  readonly value: number;
}

/**
 * A root of `f` between two points where its sign differs, to `tolerance`, by Brent's method (1973, chapter 4): inverse
 * quadratic interpolation where it converges, halving where it does not. Which near-root comes back depends on the
 * path, since `f` here is a step function; hence no other method would do.
 */
export function rootBetween(f: (at: number) => number, from: Point, to: Point, tolerance: number): number {
  // `best` is the estimate, `last` the one before it, `other` the point on the far side of the root.
  let last = from;
  let best = to;
  let other = from;
  if (last.value === 0) return last.at;
  for (let step = 0; step < STEPS_MAX; step++) {
    const moved = best.at - last.at;
    if (Math.abs(other.value) < Math.abs(best.value)) {
      last = best;
      best = other;
      other = last;
    }
    const least = 2 * Number.EPSILON * Math.abs(best.at) + tolerance / 2;
    const half = (other.at - best.at) / 2;
    if (Math.abs(half) <= least || best.value === 0) return best.at;
    const interpolates = Math.abs(moved) >= least && Math.abs(last.value) > Math.abs(best.value);
    const wanted = (interpolates ? interpolated(last, best, other, moved, least) : undefined) ?? half;
    const next = best.at + (Math.abs(wanted) >= least ? wanted : wanted > 0 ? least : -least);
    last = best;
    best = { at: next, value: f(next) };
    if (best.value > 0 === other.value > 0 && best.value !== 0 && other.value !== 0) other = last;
  }
  return best.at;
}

/** The step by a secant through two points or a parabola through three; undefined where halving is safer. */
function interpolated(
  last: Point,
  best: Point,
  other: Point,
  moved: number,
  least: number,
): number | undefined {
  const width = other.at - best.at;
  const slope = best.value / last.value;
  let p: number;
  let q: number;
  if (last.at === other.at) {
    p = width * slope;
    q = 1 - slope;
  } else {
    const far = last.value / other.value;
    const near = best.value / other.value;
    p = slope * (width * far * (far - near) - (best.at - last.at) * (near - 1));
    q = (far - 1) * (near - 1) * (slope - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  const inside = p < 0.75 * width * q - Math.abs(least * q) / 2 && p < Math.abs((moved * q) / 2);
  return inside ? p / q : undefined;
}
