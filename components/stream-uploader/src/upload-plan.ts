import type { Weighed } from "@coalmine/durable-log";
import * as z from "zod";

/** A cut: the records up to `last` that no earlier edge holds are one upload. */
export const Edge = z.object({
  last: z.number(),
  points: z.number(),
  bytes: z.number(),
  /** When its oldest and its newest record were appended. */
  sinceMs: z.number(),
  untilMs: z.number().optional(),
  /** Sent ahead of older ones. */
  isDone: z.literal(true).optional(),
});
export type Edge = z.infer<typeof Edge>;

/** Where batches end by themselves. */
export interface BatchLimits {
  readonly batchPointsMax: number;
  readonly batchBytesMax: number;
  readonly windowSeconds: number;
}

/** Of a backlog that is sent newest first, one upload in so many is the oldest. */
const OLDEST_EACH = 4;

/**
 * What waits for one sink of one log, cut into uploads as it comes in: at so many points or bytes, where the clock
 * passes a window's end, when the oldest is due, or at once for what is urgent. An edge never moves.
 */
export class UploadPlan {
  #edges: Edge[];
  #open: Edge | undefined;
  /** Everything up to here is behind it. */
  #done: number;
  #points = 0;
  #bytes = 0;
  #isUrgent = false;
  #turns = 0;
  #inFlight: Edge | undefined;

  constructor(done = 0, edges: readonly Edge[] = [], open?: Edge) {
    this.#done = done;
    this.#edges = edges.filter(({ last }) => last > done).map((edge) => ({ ...edge }));
    this.#open = open === undefined || open.last <= done ? undefined : { ...open };
    for (const edge of this.#edges) if (edge.isDone !== true) this.#count(edge, 1);
    if (this.#open !== undefined) this.#count(this.#open, 1);
  }

  get backlogPoints(): number {
    return this.#points;
  }
  get backlogBytes(): number {
    return this.#bytes;
  }
  get oldestMs(): number | undefined {
    return (this.#edges.find(({ isDone }) => isDone !== true) ?? this.#open)?.sinceMs;
  }
  get edges(): readonly Edge[] {
    return this.#edges;
  }
  get open(): Edge | undefined {
    return this.#open;
  }
  get hasNext(): boolean {
    return this.#edges.some(({ isDone }) => isDone !== true);
  }
  /** The last record of what is behind it without a hole. */
  get doneThrough(): number {
    return this.#done;
  }

  /** A record was made durable. */
  add(record: Edge, limits: BatchLimits, isUrgent = false): void {
    const windowMs = limits.windowSeconds * 1000;
    const window = (edge: Edge): number => Math.floor(edge.sinceMs / windowMs);
    if (windowMs > 0 && this.#open !== undefined && window(this.#open) !== window(record)) this.cut();
    const open = this.#open;
    this.#open = {
      last: record.last,
      points: (open?.points ?? 0) + record.points,
      bytes: (open?.bytes ?? 0) + record.bytes,
      sinceMs: Math.min(open?.sinceMs ?? record.sinceMs, record.sinceMs),
      untilMs: record.sinceMs,
    };
    this.#count(record, 1);
    if (isUrgent) this.#isUrgent = true;
    if (this.#open.points >= limits.batchPointsMax || this.#open.bytes >= limits.batchBytesMax) this.cut();
  }

  /** Ends the upload being collected. */
  cut(): void {
    if (this.#open !== undefined) this.#edges.push(this.#open);
    this.#open = undefined;
    this.#isUrgent = false;
  }

  /** Milliseconds until what is being collected is due; undefined where nothing is. */
  dueInMs(nowMs: number, intervalMs: number, windowMs = 0): number | undefined {
    if (this.#open === undefined) return undefined;
    if (this.#isUrgent) return 0;
    // A clock that was set back must not make points wait longer than the interval.
    if (this.#open.sinceMs > nowMs) this.#open.sinceMs = nowMs;
    const { sinceMs } = this.#open;
    const windowEndMs = windowMs > 0 ? (Math.floor(sinceMs / windowMs) + 1) * windowMs : Infinity;
    const leftMs = Math.min(sinceMs + intervalMs, windowEndMs) - nowMs;
    // Less than a millisecond may be less than the clock can tell apart.
    return leftMs < 1 ? 0 : leftMs;
  }

  /** The upload to make now, with its range; until `finish` it stays in the plan whatever is given up. */
  take(catchUp: "oldest-first" | "newest-first"): { edge: Edge; first: number } | undefined {
    const isWaiting = ({ isDone }: Edge): boolean => isDone !== true;
    const isNewestTurn = catchUp === "newest-first" && this.#turns++ % OLDEST_EACH !== OLDEST_EACH - 1;
    const at = isNewestTurn ? this.#edges.findLastIndex(isWaiting) : this.#edges.findIndex(isWaiting);
    const edge = this.#edges[at];
    if (edge === undefined) return undefined;
    this.#inFlight = edge;
    return { edge, first: (this.#edges[at - 1]?.last ?? this.#done) + 1 };
  }

  /** The edge that was taken is behind us; without one it stays. */
  finish(edge: Edge | undefined): void {
    this.#inFlight = undefined;
    if (edge !== undefined) this.#end(edge);
    this.#dropLeading();
  }

  /** Records up to `last` are gone from the log: gives the points that no longer wait. */
  giveUp(last: number): number {
    return this.#endAll((edge) => edge.last <= last);
  }

  /**
   * Single records are gone from the log, in order; their weights are points. Takes them out of what waits, and gives
   * the points. What is under way stays as it is: its records are given back as `held`.
   */
  lose(records: readonly Weighed[]): { readonly points: number; readonly held: readonly Weighed[] } {
    const edges = this.#open === undefined ? this.#edges : [...this.#edges, this.#open];
    const held: Weighed[] = [];
    let points = 0;
    let at = 0;
    for (const record of records) {
      if (record.sequence <= this.#done) continue;
      while ((edges[at]?.last ?? Infinity) < record.sequence) at++;
      const edge = edges[at];
      if (edge === undefined) break;
      if (edge === this.#inFlight) held.push(record);
      if (edge === this.#inFlight || edge.isDone === true) continue;
      // After a restart an edge may count less than the log held.
      const lost = Math.min(edge.points, record.weight);
      this.#count(edge, -1);
      edge.points -= lost;
      edge.bytes -= Math.min(edge.bytes, record.payloadBytes);
      this.#count(edge, 1);
      points += lost;
    }
    return { points, held };
  }

  /** Edges whose newest record is older than `beforeMs` are given up; gives their points. */
  expire(beforeMs: number): number {
    return this.#endAll((edge) => isExpired(edge, beforeMs));
  }

  /** One edge ends at `last`, as it did when it was told outside: where nothing else remembers the edges below. */
  joinUpTo(last: number): void {
    if (last <= this.#done || this.#edges.some((edge) => edge.last === last)) return;
    const joined = [...this.#edges.splice(0), ...(this.#open === undefined ? [] : [this.#open])];
    this.#open = undefined;
    const below = joined.filter((edge) => edge.last <= last);
    const above = joined.filter((edge) => edge.last > last);
    const [oldest] = below;
    // What damage took of it leaves the edge where it was.
    this.#edges = [
      {
        last,
        points: below.reduce((sum, { points }) => sum + points, 0),
        bytes: below.reduce((sum, { bytes }) => sum + bytes, 0),
        sinceMs: oldest?.sinceMs ?? 0,
        untilMs: below.at(-1)?.untilMs ?? oldest?.sinceMs ?? 0,
      },
      ...above,
    ];
  }

  #endAll(isOver: (edge: Edge) => boolean): number {
    let points = 0;
    for (const edge of this.#edges)
      if (edge !== this.#inFlight && edge.isDone !== true && isOver(edge)) {
        points += edge.points;
        this.#end(edge);
      }
    if (this.#open !== undefined && isOver(this.#open)) {
      const open = this.#open;
      this.cut();
      points += open.points;
      this.#end(open);
    }
    this.#dropLeading();
    return points;
  }

  #end(edge: Edge): void {
    edge.isDone = true;
    this.#count(edge, -1);
  }

  #dropLeading(): void {
    while (this.#edges[0]?.isDone === true) this.#done = this.#edges.shift()?.last ?? this.#done;
  }

  #count(edge: Edge, sign: 1 | -1): void {
    this.#points += sign * edge.points;
    this.#bytes += sign * edge.bytes;
  }
}

/** A clock that was never set says 1970; such records have no known age. 2024-01-01. */
export const CLOCK_WAS_SET_MS = 1_704_067_200_000;

export function isExpired({ sinceMs, untilMs = sinceMs }: Edge, beforeMs: number): boolean {
  return untilMs < beforeMs && sinceMs >= CLOCK_WAS_SET_MS;
}
