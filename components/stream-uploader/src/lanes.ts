import type { Clock, Log, Random } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { Bandwidth } from "./bandwidth.ts";
import type { Books } from "./books.ts";
import type { Config } from "./config.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import { Lane } from "./lane.ts";
import type { PointStream, StreamName } from "./point-stream.ts";
import type { Quarantine } from "./quarantine.ts";
import { newLane, type Restored } from "./restore.ts";
import { openSink, type SinkParts } from "./sinks/open-sink.ts";
import type { UploaderHealth } from "./uploader-health.ts";

export interface LanesParts extends SinkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `streams` are Kinesis and Firehose. */
  readonly logs: Readonly<Record<StreamName, PointStream>>;
  readonly quarantine: Quarantine;
  readonly health: UploaderHealth;
  readonly reserve: DiskReserve;
  readonly books: Books;
  readonly config: () => Config;
  /** A promise of our own is broken. */
  readonly fail: (reason: string) => void;
}

interface Running {
  readonly lane: Lane;
  readonly ended: Promise<void>;
  readonly leave: () => void;
}

/** A lane whose sink no configuration names any more. */
type Gone = Pick<Restored, "sinkName" | "stream">;

/** One lane for each log and sink, each at its own pace: a sink that fails holds up no other, readings no alarms. */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #bandwidth: Bandwidth;
  #running: Running[] = [];
  #isStopped = false;

  constructor(parts: LanesParts) {
    this.#parts = parts;
    this.#bandwidth = new Bandwidth(parts.clock, () => parts.config().bandwidth);
  }

  get all(): readonly Lane[] {
    return this.#running.map(({ lane }) => lane);
  }

  start(restored: Restored): void {
    const { sinkName, stream } = restored;
    const { books, reserve, config, fail } = this.#parts;
    const lane: Lane = new Lane({
      ...this.#parts,
      ...restored,
      bandwidth: this.#bandwidth,
      openSink: (settings) => openSink(this.#parts, sinkName, settings),
      checkpoint: () => books.checkpoint(),
      checkpointIfDue: () => books.checkpointIfDue(),
      settled: async () => void (await reserve.take()),
      answered: () => {
        for (const other of this.all) if (other !== lane) other.tryNow();
      },
      config,
    });
    const followed = stream.follow(lane);
    const ended = lane.run().catch((failure: unknown) => fail(`uploading ended: ${messageOf(failure)}`));
    this.#running.push({ lane, ended, leave: () => followed.unfollow() });
  }

  /** What waited at the start for a sink that the configuration does not name. */
  async forget(gone: Restored): Promise<void> {
    const { health } = this.#parts;
    const points = gone.plan.backlogPoints;
    health.countOfSink(gone.sinkName, "planned", points);
    health.countOfSink(gone.sinkName, "givenUp", points);
    health.count("droppedPoints", points);
    await this.#drop(gone, points);
  }

  /** Ends a sink's cursor, so that it holds nothing of the log any more. */
  async #drop({ sinkName, stream }: Gone, points: number): Promise<void> {
    const { log } = this.#parts;
    log.warn("a sink is no longer configured: what waited for it alone is given up", {
      sink: sinkName,
      stream: stream.name,
      points,
    });
    await stream.store.dropCursor(sinkName).catch((failure: unknown) =>
      log.warn("the cursor of a sink that is gone stays until the next start", {
        sink: sinkName,
        stream: stream.name,
        cause: messageOf(failure),
      }),
    );
  }

  /** The configuration changed: ends the lanes of sinks that are gone, begins those of new ones. */
  async reconfigured(): Promise<void> {
    const { config, logs } = this.#parts;
    const { sinks } = config();
    const gone = this.#running.filter(({ lane }) => !sinks.has(lane.sinkName));
    this.#running = this.#running.filter((one) => !gone.includes(one));
    for (const { lane, leave } of gone) {
      lane.stop();
      leave();
    }
    await Promise.all(gone.map(({ ended }) => ended));
    for (const { lane } of gone) await this.#drop(lane, lane.drop());
    for (const sinkName of sinks.keys())
      if (!this.all.some((lane) => lane.sinkName === sinkName) && !this.#isStopped)
        for (const stream of [logs.alarms, logs.readings]) this.start(await newLane(stream, sinkName));
    for (const { lane } of this.#running) lane.wake();
  }

  /** Resolves when every upload under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { lane } of this.#running) lane.stop();
    await Promise.all(this.#running.map(({ ended }) => ended));
  }

  gauges(): Record<
    "backlogPoints" | "backlogBytes" | "oldestAgeMs" | "alarmBacklogPoints" | "drainMs",
    number
  > &
    Record<string, number> {
    const nowMs = this.#parts.clock.now();
    const sum = (of: (lane: Lane) => number): number => this.all.reduce((total, lane) => total + of(lane), 0);
    const ages = this.all.flatMap(({ plan }) => (plan.oldestMs === undefined ? [] : [nowMs - plan.oldestMs]));
    const drains = this.all.map(({ drainMs }) => drainMs);
    const gauges: Record<string, number> = {};
    for (const { sinkName, plan } of this.all) {
      const name = `${sinkName}.backlogPoints`;
      gauges[name] = (gauges[name] ?? 0) + plan.backlogPoints;
    }
    return {
      ...gauges,
      backlogPoints: sum(({ plan }) => plan.backlogPoints),
      backlogBytes: sum(({ plan }) => plan.backlogBytes),
      oldestAgeMs: Math.max(0, ...ages),
      alarmBacklogPoints: sum(({ plan, stream }) => (stream.name === "alarms" ? plan.backlogPoints : 0)),
      drainMs: drains.includes(-1) ? -1 : Math.max(0, ...drains),
    };
  }
}
