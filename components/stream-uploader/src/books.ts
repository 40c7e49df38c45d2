import type { Crypto, Files } from "@coalmine/ports";
import { type Checkpoint, saveCheckpoint } from "./checkpoint.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import type { Intake } from "./intake.ts";
import type { PointStream, StreamName } from "./point-stream.ts";
import type { SeenPoints } from "./seen-points.ts";
import type { UploadPlan } from "./upload-plan.ts";

/** Without an upload a checkpoint is still written after so many points, to bound what a start has to read. */
const CHECKPOINT_POINTS = 100_000;

/** The sink of earlier versions, and of the default configuration. */
export const FIRST_SINK = "lake";

export interface BooksParts {
  readonly files: Files;
  readonly crypto: Crypto;
  readonly streams: Readonly<Record<StreamName, PointStream>>;
  readonly seen: SeenPoints;
  readonly reserve: DiskReserve;
  readonly intake: () => Intake;
  readonly lanes: () => readonly Kept[];
}

/** A lane as its books have it. */
export interface Kept {
  readonly sinkName: string;
  readonly stream: PointStream;
  readonly plan: UploadPlan;
}

/** Writes down what is known of the logs and planned for every lane, one checkpoint at a time. */
export class Books {
  readonly #parts: BooksParts;
  #pointsStored = 0;
  #pointsAtCheckpoint = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: BooksParts) {
    this.#parts = parts;
  }

  stored(points: number): void {
    this.#pointsStored += points;
  }

  async checkpointIfDue(): Promise<void> {
    if (this.#pointsStored - this.#pointsAtCheckpoint >= CHECKPOINT_POINTS) await this.checkpoint();
  }

  checkpoint(): Promise<void> {
    const written = this.#turn.then(() => this.#write());
    this.#turn = written.catch(() => undefined);
    return written;
  }

  async #write(): Promise<void> {
    const { intake, files, crypto, reserve } = this.#parts;
    const checkpoint = await intake().atRest(() => {
      this.#pointsAtCheckpoint = this.#pointsStored;
      return this.#now();
    });
    await reserve.lend(() => saveCheckpoint(files, crypto, checkpoint));
  }

  #now(): Checkpoint {
    const { streams, seen, lanes } = this.#parts;
    const kept = lanes();
    const first = kept.find(({ sinkName, stream }) => sinkName === FIRST_SINK && stream.name === "readings");
    return {
      version: 1,
      epoch: streams.readings.store.epoch,
      through: streams.readings.store.last,
      seen: seen.toNumbers(),
      ...planned(first?.plan),
      alarms: { epoch: streams.alarms.store.epoch, through: streams.alarms.store.last },
      lanes: kept
        .filter((lane) => lane !== first)
        .map(({ sinkName, stream, plan }) => ({ sink: sinkName, stream: stream.name, ...planned(plan) })),
    };
  }
}

function planned(plan: UploadPlan | undefined): Pick<Checkpoint, "edges" | "open"> {
  return {
    edges: (plan?.edges ?? []).map((edge) => ({ ...edge })),
    ...(plan?.open === undefined ? {} : { open: { ...plan.open } }),
  };
}
