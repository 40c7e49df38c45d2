import { Acknowledgement, type Measurement, topics } from "@coalmine/contract";
import type { Clock, Ipc, LocalMessage, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { AlarmRule } from "./alarm-rule.ts";
import { enter } from "./door.ts";
import type { PointStream, StreamName } from "./point-stream.ts";
import type { Quarantine } from "./quarantine.ts";
import type { SeenChannels, SeenPoints } from "./seen-points.ts";
import type { UploaderHealth } from "./uploader-health.ts";

/** Batches that may wait for the disk. Beyond it they are passed over: unacknowledged, they come again. */
const WAITING_MAX = 1000;
/** Batches of one commit; an acknowledgement names at most 1,000. */
const GROUP_MAX = 256;

export interface IntakeParts {
  readonly clock: Clock;
  readonly ipc: Pick<Ipc, "publish">;
  readonly log: Log;
  readonly streams: Readonly<Record<StreamName, PointStream>>;
  readonly alarms: AlarmRule;
  readonly seen: SeenPoints;
  readonly health: UploaderHealth;
  readonly quarantine: Quarantine;
  /** Told after each commit how many new points it stored. */
  readonly committed: (points: number) => void;
  /** A promise of our own is broken. */
  readonly fail: (reason: string) => void;
}

interface Refused {
  readonly batch: string;
  readonly reason: string;
}

/**
 * Takes batches in: drops points that are stored already, makes the new ones durable, acknowledges. While one commit
 * runs, arrivals wait and make the next one together.
 */
export class Intake {
  readonly #parts: IntakeParts;
  #waiting: LocalMessage[] = [];
  #isWorking = false;
  #isStopped = false;
  /** Resolved whenever no commit is under way: then `seen` and the plans say exactly what the logs hold. */
  #atRest: (() => void)[] = [];

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  receive(message: LocalMessage): void {
    if (this.#isStopped) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#parts.health.count("deferred");
      return;
    }
    this.#waiting.push(message);
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#work().catch((failure: unknown) =>
      this.#parts.fail(`taking batches in ended: ${messageOf(failure)}`),
    );
  }

  /** Calls `look` between commits. */
  async atRest<Result>(look: () => Result): Promise<Result> {
    if (this.#isWorking) await new Promise<void>((rest) => this.#atRest.push(rest));
    return look();
  }

  /** Takes nothing more, and resolves when what waits is stored. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    while (this.#isWorking) await new Promise<void>((rest) => this.#atRest.push(rest));
  }

  async #work(): Promise<void> {
    // Whatever arrives in this turn shares the first commit.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#store(this.#waiting.splice(0, GROUP_MAX));
      for (const rest of this.#atRest.splice(0)) rest();
    }
    this.#isWorking = false;
    for (const rest of this.#atRest.splice(0)) rest();
  }

  async #store(messages: readonly LocalMessage[]): Promise<void> {
    const { clock, health, streams } = this.#parts;
    await streams.readings.fitDisk();
    const refused: Refused[] = [];
    const aside: { message: LocalMessage; reason: string }[] = [];
    let stored = 0;
    const batches: Promise<{ batch: string; isStored: boolean; hasOld: boolean }>[] = [];
    const started = clock.monotonicMs();
    for (const message of messages) {
      const entered = enter(message);
      if (entered.kind === "refused") {
        health.count("received", entered.points);
        health.count("refused", entered.points);
        if (entered.batch !== undefined) refused.push({ batch: entered.batch, reason: entered.reason });
        aside.push({ message, reason: entered.reason });
        continue;
      }
      const { batch, points } = entered;
      const [first] = points;
      const seen = this.#parts.seen.of(first?.instrument ?? "", first?.boot ?? 0);
      const fresh = points.filter((point) => seen.add(point.channel, point.sequence));
      health.count("received", points.length - fresh.length);
      health.count("duplicates", points.length - fresh.length);
      const hasOld = fresh.length < points.length;
      const parts = this.#parted(fresh).map(async ({ stream, points: some, begins }) => {
        try {
          await stream.append(some, begins);
        } catch (failure) {
          this.#notStored(batch, seen, some, failure);
          return false;
        }
        stored += some.length;
        health.count("received", some.length);
        health.count("durable", some.length);
        return true;
      });
      batches.push(
        Promise.all(parts).then((all) => ({ batch, isStored: all.every((isStored) => isStored), hasOld })),
      );
    }
    const outcomes = await Promise.all(batches);
    if (outcomes.length > 0) health.observe("commitMs", clock.monotonicMs() - started);
    // A known point may be known from a batch of this very group that failed: such a batch has to come again.
    const hasFailed = outcomes.some(({ isStored }) => !isStored);
    const durable = outcomes.filter(({ isStored, hasOld }) => isStored && !(hasOld && hasFailed));
    await this.#acknowledge([...new Set(durable.map(({ batch }) => batch))], refused);
    this.#parts.committed(stored);
    for (const { message, reason } of aside) await this.#setAside(message, reason);
  }

  /** Alarms have a log of their own; most batches have none. */
  #parted(
    points: readonly Measurement[],
  ): { stream: PointStream; points: readonly Measurement[]; begins: boolean }[] {
    const { streams, alarms } = this.#parts;
    const readings: Measurement[] = [];
    const alarmed: Measurement[] = [];
    let begins = false;
    for (const point of points) {
      const judged = alarms.judge(point);
      (judged.isAlarm ? alarmed : readings).push(point);
      if (judged.begins) begins = true;
    }
    return [
      ...(alarmed.length > 0 ? [{ stream: streams.alarms, points: alarmed, begins }] : []),
      ...(readings.length > 0 ? [{ stream: streams.readings, points: readings, begins: false }] : []),
    ];
  }

  #notStored(batch: string, seen: SeenChannels, fresh: readonly Measurement[], failure: unknown): void {
    for (const point of fresh) seen.remove(point.channel, point.sequence);
    this.#parts.health.count("deferred", fresh.length);
    this.#parts.log.warn("a batch could not be stored; its publisher keeps it", {
      batch,
      points: fresh.length,
      cause: messageOf(failure),
    });
  }

  async #acknowledge(durable: readonly string[], refused: readonly Refused[]): Promise<void> {
    if (durable.length === 0 && refused.length === 0) return;
    const acknowledgement = {
      version: 1,
      durable: [...durable],
      refused: refused.map((one) => ({ ...one })),
    };
    try {
      await this.#parts.ipc.publish(topics.acknowledgements, {
        json: Acknowledgement.parse(acknowledgement),
      });
    } catch (failure) {
      // Unheard, the batches come again as duplicates, and are acknowledged then.
      this.#parts.log.warn("an acknowledgement was not published", { cause: messageOf(failure) });
    }
  }

  async #setAside(message: LocalMessage, reason: string): Promise<void> {
    this.#parts.log.warn("a batch was refused", { reason });
    try {
      await this.#parts.quarantine.keepMessage(message, reason);
    } catch (failure) {
      this.#parts.log.warn("a refused batch was not kept", { cause: messageOf(failure) });
    }
  }
}
