import type { Clock, ForeignFolder, Timer } from "@coalmine/ports";
import { type Listed } from "./file-set.ts";
import { listFiles } from "./listing.ts";

/** A source that is told when files of its own have changed. */
export interface Watching {
  matches(name: string): boolean;
  changed(listed: readonly Listed[]): void;
}

/**
 * Watches one folder for all sources in it: what is told of it is gathered for a moment, then the folder is listed once
 * and those sources are woken whose files are not what they were.
 */
export class FolderWatch {
  readonly #folder: ForeignFolder;
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #sources: readonly Watching[];
  readonly #seen = new Map<Watching, readonly Listed[]>();
  #watch: { close(): void } | undefined;
  #timer: Timer | undefined;
  #isLooking = false;
  #isAskedAgain = false;

  constructor(folder: ForeignFolder, clock: Clock, delayMs: number, sources: readonly Watching[]) {
    this.#folder = folder;
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#sources = sources;
  }

  open(): void {
    this.#watch = this.#folder.watch(() => this.#told());
  }

  close(): void {
    this.#watch?.close();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #told(): void {
    this.#timer ??= this.#clock.timer(this.#delayMs, () => {
      this.#timer = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    if (this.#isLooking) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isLooking = true;
    // What cannot be listed now is told of by the sources' own rounds.
    const listed = await listFiles(this.#folder, (name) =>
      this.#sources.some((source) => source.matches(name)),
    ).catch(() => []);
    this.#isLooking = false;
    for (const source of this.#sources) {
      const own = listed.filter(({ name }) => source.matches(name));
      const before = this.#seen.get(source);
      if (before !== undefined && isSame(own, before)) continue;
      this.#seen.set(source, own);
      source.changed(own);
    }
    if (this.#isAskedAgain) {
      this.#isAskedAgain = false;
      this.#told();
    }
  }
}

function isSame(now: readonly Listed[], before: readonly Listed[]): boolean {
  return (
    now.length === before.length &&
    now.every(({ name, key, status: { sizeBytes, modifiedMs } }, index) => {
      const was = before[index];
      return (
        name === was?.name &&
        key === was.key &&
        sizeBytes === was.status.sizeBytes &&
        modifiedMs === was.status.modifiedMs
      );
    })
  );
}
