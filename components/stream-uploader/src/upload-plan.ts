import * as z from "zod";

/** A cut: the records up to `last` that no earlier edge holds are one upload. */
export const Edge = z.object({
  last: z.number(),
  points: z.number(),
  bytes: z.number(),
  /** When its oldest record was appended. */
  sinceMs: z.number(),
});
export type Edge = z.infer<typeof Edge>;

/** What waits for upload, cut into uploads as it comes in: at so many points or bytes, or when the oldest is due. */
export class UploadPlan {
  #edges: Edge[];
  #open: Edge | undefined;
  #points = 0;
  #bytes = 0;

  constructor(edges: readonly Edge[] = [], open?: Edge) {
    this.#edges = [...edges];
    this.#open = open;
    for (const edge of [...edges, ...(open === undefined ? [] : [open])]) this.#count(edge, 1);
  }

  get backlogPoints(): number {
    return this.#points;
  }
  get backlogBytes(): number {
    return this.#bytes;
  }
  get oldestMs(): number | undefined {
    return (this.#edges[0] ?? this.#open)?.sinceMs;
  }
  get edges(): readonly Edge[] {
    return this.#edges;
  }
  get open(): Edge | undefined {
    return this.#open;
  }
  get next(): Edge | undefined {
    return this.#edges[0];
  }

  /** A record was made durable. */
  add(record: Edge, limits: { readonly batchPointsMax: number; readonly batchBytesMax: number }): void {
    const open = this.#open;
    this.#open =
      open === undefined
        ? { ...record }
        : {
            last: record.last,
            points: open.points + record.points,
            bytes: open.bytes + record.bytes,
            sinceMs: Math.min(open.sinceMs, record.sinceMs),
          };
    this.#count(record, 1);
    if (this.#open.points >= limits.batchPointsMax || this.#open.bytes >= limits.batchBytesMax) this.cut();
  }

  /** Ends the upload being collected. */
  cut(): void {
    if (this.#open !== undefined) this.#edges.push(this.#open);
    this.#open = undefined;
  }

  /** Milliseconds until what is being collected is due; undefined where nothing is. */
  dueInMs(nowMs: number, intervalMs: number): number | undefined {
    if (this.#open === undefined) return undefined;
    // A clock that was set back must not make points wait longer than the interval.
    if (this.#open.sinceMs > nowMs) this.#open.sinceMs = nowMs;
    const leftMs = this.#open.sinceMs + intervalMs - nowMs;
    // Less than a millisecond may be less than the clock can tell apart.
    return leftMs < 1 ? 0 : leftMs;
  }

  /** Everything up to `last` is uploaded, or was given up. */
  pass(last: number): void {
    while (this.#edges[0] !== undefined && this.#edges[0].last <= last) this.#count(this.#edges[0], -1, true);
    if (this.#open === undefined || this.#open.last > last) return;
    this.#count(this.#open, -1);
    this.#open = undefined;
  }

  #count(edge: Edge, sign: 1 | -1, isFirst = false): void {
    this.#points += sign * edge.points;
    this.#bytes += sign * edge.bytes;
    if (isFirst) this.#edges.shift();
  }
}
