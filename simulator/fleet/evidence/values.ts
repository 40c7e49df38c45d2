import type { ValueRow } from "./lake.ts";
import type { Check } from "./checks.ts";

/** From one instant until before another, ms. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Of a channel's values on one device, the candidate's median may be so far from what was before. */
const MEDIAN_SHARE_MAX = 0.1;
/** Fewer values of a channel on a device say nothing of it. */
const VALUES_MIN = 3;
/** Of classes, their probabilities and places in a curve, and of no quantity that is measured. */
const CLASS_UNIT = "1";
const QUALITY_SHARE_MAX = 0.05;
const EXAMPLES_MAX = 3;
/** As every query of the lake looks for them. */
const layout = /^[^/]+\/dt=(\d{4}-\d\d-\d\d)\/thing=([^/]+)\/[^/]+$/;

interface Channel {
  readonly before: number[];
  readonly after: number[];
  readonly unitsBefore: Set<string>;
  readonly unitsAfter: Set<string>;
}

/** Sees every row of the lake, and compares what the candidate measured with what was measured before it. */
export class LakeValues {
  readonly #before: Span | undefined;
  readonly #after: Span;
  readonly #channels = new Map<string, Channel>();
  readonly #misplaced = new Set<string>();
  #good = { before: 0, after: 0 };
  #rows = { before: 0, after: 0 };

  constructor(before: Span | undefined, after: Span) {
    this.#before = before;
    this.#after = after;
  }

  readonly look = (row: ValueRow, key: string): void => {
    const [, day, thing] = layout.exec(key) ?? [];
    if (thing !== row.thing || day !== new Date(row.sample_time_ms).toISOString().slice(0, 10))
      this.#misplaced.add(key);
    const when = isWithin(row, this.#before) ? "before" : isWithin(row, this.#after) ? "after" : undefined;
    if (when === undefined) return;
    const name = `${row.thing}/${row.channel}`;
    const channel = this.#channels.get(name) ?? {
      before: [],
      after: [],
      unitsBefore: new Set(),
      unitsAfter: new Set(),
    };
    this.#channels.set(name, channel);
    channel[when].push(row.value);
    (when === "before" ? channel.unitsBefore : channel.unitsAfter).add(row.unit);
    this.#rows[when]++;
    if (row.quality === "good") this.#good[when]++;
  };

  checks(): readonly Check[] {
    const misplaced = [...this.#misplaced];
    const place = {
      name: "objects lie where queries look for them",
      ok: misplaced.length === 0,
      found: misplaced.length === 0 ? "all do" : `${misplaced.length} do not, as ${misplaced[0]}`,
    };
    return this.#before === undefined ? [place] : [place, this.#values()];
  }

  #values(): Check {
    const wrong = [...this.#channels].flatMap(([name, channel]) => {
      const { before, after, unitsBefore, unitsAfter } = channel;
      if (before.length < VALUES_MIN) return [];
      const was = median(before);
      const is = after.length < VALUES_MIN ? undefined : median(after);
      const units = [...unitsAfter].filter((unit) => !unitsBefore.has(unit));
      if (units.length > 0)
        return [`${name} is in ${units.join(", ")}, and was in ${[...unitsBefore].join(", ")}`];
      if (is === undefined) return [`${name} has ${after.length} values, and had ${before.length}`];
      // A class or its probability near a border goes either way by chance.
      if (unitsBefore.has(CLASS_UNIT)) return [];
      return Math.abs(is - was) <= MEDIAN_SHARE_MAX * Math.abs(was)
        ? []
        : [`the median of ${name} is ${is.toPrecision(4)}, and was ${was.toPrecision(4)}`];
    });
    const share = (when: "before" | "after"): number => this.#good[when] / Math.max(1, this.#rows[when]);
    if (share("after") < share("before") - QUALITY_SHARE_MAX)
      wrong.push(
        `${(100 * share("after")).toFixed(0)} % are good, and ${(100 * share("before")).toFixed(0)} % were`,
      );
    return {
      name: "what is measured is what was measured",
      ok: wrong.length === 0,
      found:
        wrong.length === 0
          ? `${this.#channels.size} channels of ${this.#rows.after} points, within ${100 * MEDIAN_SHARE_MAX} %`
          : `${wrong.length} of ${this.#channels.size} channels differ: ${wrong.slice(0, EXAMPLES_MAX).join("; ")}`,
    };
  }
}

function isWithin({ sample_time_ms }: ValueRow, span: Span | undefined): boolean {
  return span !== undefined && sample_time_ms >= span.fromMs && sample_time_ms < span.untilMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
