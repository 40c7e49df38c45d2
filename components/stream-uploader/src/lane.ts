import type { Cursor, Loss, Weighed } from "@coalmine/durable-log";
import type { Clock, Log, Random } from "@coalmine/ports";
import { fullJitter, InvariantError, messageOf } from "@coalmine/runtime";
import { Alarm } from "./alarm.ts";
import type { Bandwidth } from "./bandwidth.ts";
import type { Config } from "./config.ts";
import { Delivery } from "./delivery.ts";
import type { Follower, LossCause, PointStream } from "./point-stream.ts";
import type { Quarantine } from "./quarantine.ts";
import type { SinkSettings } from "./sink-config.ts";
import type { Sink } from "./sinks/sink.ts";
import type { UploaderHealth } from "./uploader-health.ts";
import { type Edge, isExpired, type UploadPlan } from "./upload-plan.ts";

const BACKOFF = { firstMs: 1000, maxMs: 300_000 };

export interface LaneParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sinkName: string;
  readonly stream: PointStream;
  readonly cursor: Cursor;
  readonly plan: UploadPlan;
  readonly bandwidth: Bandwidth;
  readonly quarantine: Quarantine;
  readonly health: UploaderHealth;
  readonly config: () => Config;
  readonly openSink: (settings: SinkSettings) => Sink;
  /** Writes down what every lane plans, before anything of it is told outside. */
  readonly checkpoint: () => Promise<void>;
  readonly checkpointIfDue: () => Promise<void>;
  /** After an upload: takes back what was borrowed of a full disk. */
  readonly settled: () => Promise<void>;
  readonly answered: () => void;
}

/**
 * One log on its way to one sink, upload by upload: fix the edge durably, deliver, advance the cursor durably, free.
 * Each step may be repeated after a crash: the edge stays, so what a sink is told stays the same.
 */
export class Lane implements Follower {
  readonly #parts: LaneParts;
  readonly #alarm: Alarm;
  readonly #delivery: Delivery;
  #isStopped = false;
  #isFixingEdge = false;
  /** The present wait ends by itself when something is due: single points need not end it. */
  #isDueKnown = false;
  #drain: { bytes: number; ms: number } = { bytes: 0, ms: 0 };
  /** What the log gave up of the upload under way, which may have been read before. */
  #heldLosses: { cause: LossCause; records: readonly Weighed[] }[] = [];

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock);
    this.#delivery = new Delivery({
      ...parts,
      urgency: parts.stream.name,
      alarm: this.#alarm,
    });
    this.#count("planned", parts.plan.backlogPoints);
  }

  get sinkName(): string {
    return this.#parts.sinkName;
  }
  get stream(): PointStream {
    return this.#parts.stream;
  }
  get plan(): UploadPlan {
    return this.#parts.plan;
  }
  get cursor(): Cursor {
    return this.#parts.cursor;
  }
  /** An edge or a cursor is being written: an update had better wait a moment. */
  get isFixingEdge(): boolean {
    return this.#isFixingEdge;
  }
  /** Until the backlog is gone, at the speed of the last upload; −1 where none has been made yet. */
  get drainMs(): number {
    const { backlogBytes } = this.plan;
    if (backlogBytes === 0) return 0;
    return this.#drain.bytes === 0 ? -1 : (backlogBytes / this.#drain.bytes) * this.#drain.ms;
  }

  appended(record: Edge, begins: boolean): void {
    const settings = this.#settings();
    if (settings === undefined) return;
    this.plan.add(record, settings, begins);
    this.#count("planned", record.points);
    if (!this.#isDueKnown || begins || this.plan.hasNext) this.#alarm.ring();
  }

  lost(cause: LossCause, { last, weighed }: Loss): void {
    const { points, held } = this.plan.lose(weighed);
    // What could not be weighed goes with its edge.
    this.#giveUp(cause, points + (cause === "downsampled" ? 0 : this.plan.giveUp(last)));
    if (held.length > 0) this.#heldLosses.push({ cause, records: held });
  }

  /** Its sink is gone for good, and the lane has ended: gives up all that waits for it; answers the points. */
  drop(): number {
    const points = this.plan.backlogPoints;
    this.#giveUp("dropped", points);
    return points;
  }

  /** Something changed that a wait may depend on. */
  wake(): void {
    this.#alarm.ring();
  }

  /** The network is there. */
  tryNow(): void {
    this.#delivery.tryNow();
  }

  stop(): void {
    this.#isStopped = true;
    this.#alarm.ring();
  }

  /** Uploads until stopped. Rejects only for a broken promise of our own. */
  async run(): Promise<void> {
    const { log, random, clock } = this.#parts;
    let backoff = fullJitter(BACKOFF, random);
    while (!this.#isStopped) {
      try {
        await this.#step();
        backoff = fullJitter(BACKOFF, random);
      } catch (failure) {
        if (failure instanceof InvariantError) throw failure;
        log.error("the disk refused an upload's books; it will be tried again", {
          sink: this.sinkName,
          cause: messageOf(failure),
        });
        const until = clock.monotonicMs() + backoff.next().value;
        while (!this.#isStopped && until - clock.monotonicMs() >= 1)
          await this.#alarm.wait(until - clock.monotonicMs());
      }
    }
  }

  #settings(): SinkSettings | undefined {
    return this.#parts.config().sinks.get(this.sinkName);
  }

  /** Waits for something to upload, or uploads it. */
  async #step(): Promise<void> {
    const { clock, checkpointIfDue } = this.#parts;
    const { plan } = this;
    const settings = this.#settings();
    if (settings === undefined) return this.stop();
    await checkpointIfDue();
    await this.#expire();
    if (!plan.hasNext) {
      const { flushIntervalSeconds, windowSeconds } = settings;
      const dueInMs = plan.dueInMs(clock.now(), flushIntervalSeconds * 1000, windowSeconds * 1000);
      if (dueInMs !== 0) {
        this.#isDueKnown = dueInMs !== undefined;
        await this.#alarm.wait(dueInMs);
        return;
      }
      plan.cut();
    }
    await this.#upload(settings);
  }

  async #upload(settings: SinkSettings): Promise<void> {
    const { stream, clock } = this.#parts;
    const { plan } = this;
    const taken = plan.take(settings.catchUp);
    if (taken === undefined) return;
    const { edge, first } = taken;
    let outcome: "done" | "left" = "left";
    try {
      await this.#fixEdge(edge.last);
      const startedMs = clock.monotonicMs();
      const range = { epoch: stream.store.epoch, first, last: edge.last };
      outcome = await this.#deliver(settings, edge, range);
      const tookMs = clock.monotonicMs() - startedMs;
      if (outcome === "done") this.#drain = { bytes: edge.bytes, ms: Math.max(1, tookMs) };
      if (outcome === "done") this.#parts.health.observe("uploadMs", tookMs);
    } finally {
      plan.finish(outcome === "done" ? edge : undefined);
      for (const { cause, records } of this.#heldLosses.splice(0))
        this.#giveUp(cause, plan.lose(records).points);
    }
    await this.#advance();
  }

  /** Parcel by parcel; "left" where it is to be begun anew. */
  async #deliver(
    settings: SinkSettings,
    edge: Edge,
    range: { epoch: string; first: number; last: number },
  ): Promise<"done" | "left"> {
    const { stream, health, openSink, checkpointIfDue } = this.#parts;
    const sink = openSink(settings);
    const isOver = (): boolean =>
      this.#isStopped || this.#settings() !== settings || isExpired(edge, this.#expiryMs());
    let sent = 0;
    let quarantined = 0;
    for await (const parcel of sink.parcels(range, stream.read(range.first, range.last))) {
      const outcome = await this.#delivery.deliver(sink, parcel, isOver, checkpointIfDue);
      if (outcome.kind === "left") return "left";
      const aside = outcome.kind === "quarantined" ? outcome.points : 0;
      quarantined += aside;
      sent += parcel.points - aside;
      if (sink.makesObjects && aside === 0) health.count("uploadedObjects");
    }
    // Counted where the edge is done: what is left is sent again, and must not count twice.
    health.count("uploadedPoints", sent);
    this.#count("sent", sent);
    health.count("quarantinedPoints", quarantined);
    this.#count("quarantined", quarantined);
    let missing = Math.max(0, edge.points - sent - quarantined);
    for (const { cause, records } of this.#heldLosses.splice(0)) {
      const points = Math.min(
        missing,
        records.reduce((sum, { weight }) => sum + weight, 0),
      );
      this.#giveUp(cause, points);
      missing -= points;
    }
    this.#giveUp("lost", missing);
    return "done";
  }

  /** Before anything is told outside: the checkpoint that knows these points, then the edge itself. */
  async #fixEdge(last: number): Promise<void> {
    this.#isFixingEdge = true;
    try {
      await this.#parts.checkpoint();
      if (this.cursor.reserved < last) await this.cursor.reserve(last);
    } finally {
      this.#isFixingEdge = false;
    }
  }

  async #advance(): Promise<void> {
    const { doneThrough } = this.plan;
    if (doneThrough <= this.cursor.done) return;
    this.#isFixingEdge = true;
    try {
      await this.cursor.advance(doneThrough);
    } finally {
      this.#isFixingEdge = false;
    }
    await this.stream.free();
    await this.#parts.settled();
  }

  #expiryMs(): number {
    const { clock, config } = this.#parts;
    const { timeToLiveSeconds } = config();
    return timeToLiveSeconds === undefined ? -Infinity : clock.now() - timeToLiveSeconds * 1000;
  }

  async #expire(): Promise<void> {
    const points = this.plan.expire(this.#expiryMs());
    if (points > 0) {
      this.#giveUp("expired", points);
      this.#parts.log.warn("points grew too old to be sent, and were given up", {
        sink: this.sinkName,
        stream: this.stream.name,
        points,
      });
    }
    await this.#advance();
  }

  #giveUp(cause: LossCause | "dropped" | "lost", points: number): void {
    this.#parts.health.count(`${cause}Points`, points);
    this.#count("givenUp", points);
  }

  #count(what: "planned" | "sent" | "quarantined" | "givenUp", points: number): void {
    this.#parts.health.countOfSink(this.sinkName, what, points);
  }
}
