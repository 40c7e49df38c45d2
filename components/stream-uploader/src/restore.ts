import type { Cursor } from "@coalmine/durable-log";
import type { Crypto, Files, Log } from "@coalmine/ports";
import { decodePoints } from "./batch-record.ts";
import { FIRST_SINK } from "./books.ts";
import { type Checkpoint, loadCheckpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import type { PointStream, StreamName } from "./point-stream.ts";
import { SeenPoints } from "./seen-points.ts";
import type { SinkSettings } from "./sink-config.ts";
import { type BatchLimits, UploadPlan } from "./upload-plan.ts";

/** A lane as it was when the component ended. */
export interface Restored {
  readonly sinkName: string;
  readonly stream: PointStream;
  readonly cursor: Cursor;
  readonly plan: UploadPlan;
}

interface Planning extends Restored {
  readonly settings: BatchLimits;
  /** What the checkpoint does not know begins here. */
  readonly from: number;
  /** The edge under way, where nothing remembers it but the cursor. */
  readonly fixed: number;
}

/**
 * What was known when the component ended, from the checkpoint and the logs behind it. `gone` are the lanes of sinks
 * that the configuration names no more.
 */
export async function restore(parts: {
  readonly files: Files;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly streams: Readonly<Record<StreamName, PointStream>>;
  readonly config: Config;
}): Promise<{ seen: SeenPoints; lanes: Restored[]; gone: Restored[] }> {
  const { files, crypto, log, streams, config } = parts;
  const checkpoint = await loadCheckpoint(files, crypto, streams.readings.store.epoch);
  if (checkpoint === undefined && streams.readings.store.first > 1)
    log.warn("the checkpoint is lost: a point that was uploaded and comes again would be stored twice");
  const seen = SeenPoints.fromNumbers(checkpoint?.seen ?? []);
  const lanes: Planning[] = [];
  const gone: Planning[] = [];
  for (const stream of [streams.alarms, streams.readings]) {
    const ofStream: Planning[] = [];
    for (const [sinkName, settings] of config.sinks)
      ofStream.push(await openLane(stream, sinkName, settings, checkpoint));
    const ofGone: Planning[] = [];
    for (const sinkName of stream.store.cursorNames.filter((name) => !config.sinks.has(name)))
      ofGone.push(await openLane(stream, sinkName, undefined, checkpoint));
    await readBehind(stream, throughOf(stream, checkpoint), seen, [...ofStream, ...ofGone]);
    lanes.push(...ofStream);
    gone.push(...ofGone);
  }
  return { seen, lanes, gone };
}

/** A lane whose sink is new: it begins with what comes from now on. */
export async function newLane(stream: PointStream, sinkName: string): Promise<Restored> {
  const cursor = await stream.store.cursor(sinkName);
  if (cursor.done < stream.store.last) await cursor.advance(stream.store.last);
  return { sinkName, stream, cursor, plan: new UploadPlan(cursor.done) };
}

async function openLane(
  stream: PointStream,
  sinkName: string,
  settings: SinkSettings | undefined,
  checkpoint: Checkpoint | undefined,
): Promise<Planning> {
  const known = planOf(stream, sinkName, checkpoint);
  // Without any checkpoint nobody can tell what is new; a sink is rather told something twice than not at all.
  const isNew = checkpoint !== undefined && known === undefined && sinkName !== FIRST_SINK;
  if (isNew) {
    const lane = await newLane(stream, sinkName);
    return { ...lane, settings: settings ?? NO_LIMITS, from: stream.store.last + 1, fixed: 0 };
  }
  const cursor = await stream.store.cursor(sinkName);
  const plan = new UploadPlan(cursor.done, known?.edges, known?.open);
  const isRemembered = plan.edges.some(({ last }) => last === cursor.reserved);
  // Newest first leaves many edges under way; without a checkpoint they cannot be told.
  const isFixed = cursor.reserved > cursor.done && !isRemembered && settings?.catchUp === "oldest-first";
  return {
    sinkName,
    stream,
    cursor,
    plan,
    settings: settings ?? NO_LIMITS,
    from: known === undefined ? cursor.done + 1 : throughOf(stream, checkpoint) + 1,
    fixed: isFixed ? cursor.reserved : 0,
  };
}

function planOf(
  stream: PointStream,
  sinkName: string,
  checkpoint: Checkpoint | undefined,
): Pick<Checkpoint, "edges" | "open"> | undefined {
  if (checkpoint === undefined) return undefined;
  if (stream.name === "readings" && sinkName === FIRST_SINK) return checkpoint;
  if (stream.name === "alarms" && checkpoint.alarms?.epoch !== stream.store.epoch) return undefined;
  return checkpoint.lanes.find((lane) => lane.sink === sinkName && lane.stream === stream.name);
}

function throughOf(stream: PointStream, checkpoint: Checkpoint | undefined): number {
  if (stream.name === "readings") return checkpoint?.through ?? 0;
  return checkpoint?.alarms?.epoch === stream.store.epoch ? checkpoint.alarms.through : 0;
}

/** Brings what was seen, and the plans, up to the end of the log. */
async function readBehind(
  stream: PointStream,
  through: number,
  seen: SeenPoints,
  lanes: readonly Planning[],
): Promise<void> {
  const { store } = stream;
  const from = Math.max(store.first, Math.min(through + 1, ...lanes.map((lane) => lane.from)));
  for await (const chunk of store.read(from))
    for (const record of chunk.records) {
      const points = decodePoints(record.payload);
      const { sequence: last, timeMs: sinceMs, payload } = record;
      if (last > through) {
        const channels = seen.of(points.instrument, points.boot);
        for (let at = 0; at < points.sequence.length; at++)
          channels.add(points.kinds[points.kind[at] ?? 0]?.channel ?? "", points.sequence[at] ?? 0);
      }
      const planned = { last, points: points.sequence.length, bytes: payload.length, sinceMs };
      for (const lane of lanes) if (last >= lane.from && last > lane.cursor.done) add(lane, planned);
    }
  for (const { plan, fixed } of lanes) if (fixed > 0) plan.joinUpTo(fixed);
}

const NO_LIMITS: BatchLimits = { batchPointsMax: Infinity, batchBytesMax: Infinity, windowSeconds: 0 };

/** The edge that was fixed before the end is neither cut nor joined by today's limits. */
function add({ plan, fixed, settings }: Planning, record: Parameters<UploadPlan["add"]>[0]): void {
  if (record.last > fixed && plan.open !== undefined && plan.open.last <= fixed) plan.cut();
  plan.add(record, record.last <= fixed ? NO_LIMITS : settings);
  if (record.last === fixed) plan.cut();
}
