import type { Clock, Model, Models } from "@coalmine/ports";
import type { DrivenClock, SeededRandom } from "@coalmine/runtime";

/**
 * What a model run costs a device, in virtual milliseconds: log-normal about the median that a process device of this
 * suite reports in its `runMs` (about 1 ms with the worker's crossing), with its spread.
 */
const RUN_MS_MEDIAN = 1.2;
const RUN_LOG_DEVIATION = 0.25;
const TIMED_RUNS_MAX = 2000;

/** One session a model for all hosted devices: runs are real, one shared session per hash, and the clock waits for them. */
export class SharedModels {
  readonly #real: Models;
  readonly #clock: DrivenClock;
  readonly #wallClock: Clock;
  readonly #open = new Map<string, Promise<Model>>();
  readonly #runMs = new Map<string, number[]>();

  /** `wallClock` tells how long runs really take, which no device's clock is charged with. */
  constructor(real: Models, clock: DrivenClock, wallClock: Clock) {
    this.#real = real;
    this.#clock = clock;
    this.#wallClock = wallClock;
  }

  /** The median time that a run of the model really took on this machine, if it ran. */
  medianRunMs(sha256: string): number | undefined {
    const sorted = this.#runMs.get(sha256)?.toSorted((a, b) => a - b) ?? [];
    return sorted[sorted.length >> 1];
  }

  /** The models of one device; `realFolder` finds where the files behind a device's path lie. */
  of(random: SeededRandom, realFolder: (folder: string) => string): Models {
    const kept = new Map<string, string>();
    const real = (folder: string): string => kept.get(folder) ?? realFolder(folder);
    return {
      open: async (folder, sha256) =>
        this.#deviceModel(await this.#session(real(folder), sha256), sha256, random),
      // On the session that all share: a model that crashes ends the rehearsal, which is a verdict too.
      prove: async (folder, sha256, feeds) => {
        const session = await this.#session(real(folder), sha256);
        return this.#waitedFor(async () => {
          const outputs = [];
          for (const each of feeds) outputs.push(await session.run(each));
          return outputs;
        });
      },
      readText: (folder, name) => this.#waitedFor(() => this.#real.readText(real(folder), name)),
      copyToWork: async (folder, workFolder) => void kept.set(workFolder, real(folder)),
    };
  }

  #session(folder: string, sha256: string): Promise<Model> {
    const known = this.#open.get(sha256);
    if (known !== undefined) return known;
    const opening = this.#waitedFor(() => this.#real.open(folder, sha256));
    this.#open.set(sha256, opening);
    // A model that could not be opened is asked for anew next time.
    opening.catch(() => this.#open.delete(sha256));
    return opening;
  }

  async #waitedFor<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const done = this.#clock.busy();
    try {
      return await work();
    } finally {
      done();
    }
  }

  #deviceModel(shared: Model, sha256: string, random: SeededRandom): Model {
    const clock = this.#clock;
    const times = this.#runMs.get(sha256) ?? [];
    this.#runMs.set(sha256, times);
    return {
      inputNames: shared.inputNames,
      outputNames: shared.outputNames,
      run: async (feeds) => {
        const done = clock.busy();
        const startedMs = this.#wallClock.monotonicMs();
        let answer;
        try {
          answer = await shared.run(feeds);
        } finally {
          done();
        }
        if (times.length < TIMED_RUNS_MAX) times.push(this.#wallClock.monotonicMs() - startedMs);
        await clock.sleep(RUN_MS_MEDIAN * Math.exp(RUN_LOG_DEVIATION * random.normal()));
        return answer;
      },
      // Others run on the same session.
      close: async () => undefined,
    };
  }
}
