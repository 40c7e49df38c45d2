/** One figure of a bench. `demand` is what an issue asks for, as text; `ok` whether the figure meets it. */
export interface Metric {
  readonly value: number;
  readonly unit: string;
  readonly demand?: string;
  readonly ok?: boolean;
}
export type Metrics = Readonly<Record<string, Metric>>;

/** A bench: measures, and tells as it goes on what it is at. It never fails a test run; it throws when it cannot measure. */
export type Bench = (say: (sentence: string) => void) => Promise<Metrics>;

/** Machines are shared and noisy: of fewer rounds the median says nothing. */
export const ROUNDS = 5;

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the median of nothing");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** At least `atLeast`, as a metric that says so. */
export function atLeast(value: number, unit: string, demand: number): Metric {
  return { value, unit, demand: `>= ${demand}`, ok: value >= demand };
}

export function atMost(value: number, unit: string, demand: number): Metric {
  return { value, unit, demand: `<= ${demand}`, ok: value <= demand };
}

/**
 * Runs every candidate once a round, `rounds` times, in turn: what disturbs the machine for a while disturbs all of
 * them. Each gives its figure; what comes back is each one's figures by round.
 */
export async function inTurn<Name extends string>(
  candidates: Readonly<Record<Name, () => Promise<number> | number>>,
  rounds = ROUNDS,
): Promise<Record<Name, number[]>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the names' type.
  const names = Object.keys(candidates) as Name[];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- and so does fromEntries.
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++)
    for (const name of names) figures[name].push(await candidates[name]());
  return figures;
}

/** The median of the rounds' own ratios: both sides of each were measured close together. */
export function ratio(numerator: readonly number[], denominator: readonly number[]): number {
  return median(numerator.map((value, round) => value / (denominator[round] ?? Number.NaN)));
}
