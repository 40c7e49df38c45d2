import { type Clock, type File, type Files, type Log, type Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { FORGOTTEN_MAX } from "./forgotten.ts";
import { Tracked } from "./tracked.ts";

const Stored = z.object({
  version: z.literal(2),
  sequence: z.int().nonnegative(),
  components: z.record(z.string(), z.array(Tracked)),
});
const Entry = z.object({ sequence: z.int(), component: z.string(), files: z.array(Tracked) });
/** What the first version of log-manager kept: by `device:inode`. */
const Old = z.object({
  version: z.literal(1),
  positions: z.record(z.string(), z.object({ offset: z.int().nonnegative(), mark: z.string() })),
});
const NAME = "tracked.json";
const NEW = "tracked.json.new";
const JOURNAL = "tracked.journal";
const OLD = "positions.json";
/** A card that is synced for every batch wears out. */
const SYNC_EVERY_MS = 1000;
/** The journal of a busy device lasts for hours, and a start reads it in no time. */
const JOURNAL_BYTES_MAX = 256 * 1024;

/**
 * How far each file went to the cloud. After each acknowledged batch it is appended to a journal, which is synced at most
 * once a second; a journal that is full gives way to one file with all there is. The death of the process undoes
 * nothing, and where the power goes the batches of one second are sent again, under the same names: a file's name is
 * synced before the first of its events goes.
 */
export class Positions {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #components: Map<string, readonly Tracked[]>;
  /** Of the version before: offsets by `device:inode`, for files not seen since. */
  readonly old: ReadonlyMap<string, { readonly offset: number; readonly mark: string }>;
  #sequence: number;
  #journal: File | undefined;
  #journalBytes = 0;
  #syncedMs = -Infinity;
  #timer: Timer | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isFailing = false;
  #isUnsynced = false;
  /** The journal could not take something: the whole has to. */
  #hasGap = false;
  failures = 0;

  private constructor(
    ports: { files: Files; clock: Clock; log: Log },
    stored: z.infer<typeof Stored>,
    old: Positions["old"],
  ) {
    this.#files = ports.files;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#sequence = stored.sequence;
    this.#components = new Map(Object.entries(stored.components));
    this.old = old;
  }

  /** What cannot be read is like nothing: lines go twice rather than not at all. */
  static async open(ports: { files: Files; clock: Clock; log: Log }): Promise<Positions> {
    const text = await readText(ports.files, NAME);
    const stored = parsed(Stored, text) ?? { version: 2, sequence: 0, components: {} };
    if (text !== undefined && stored.sequence === 0)
      ports.log.warn("the positions of the log files cannot be read; files that are still there go again", {
        file: NAME,
      });
    const wholeSequence = stored.sequence;
    for (const line of (await readText(ports.files, JOURNAL))?.split("\n") ?? []) {
      const entry = parsed(Entry, line);
      if (entry === undefined) break;
      if (entry.sequence <= stored.sequence) continue;
      stored.sequence = entry.sequence;
      stored.components[entry.component] = entry.files;
    }
    const old = text === undefined ? parsed(Old, await readText(ports.files, OLD))?.positions : undefined;
    const positions = new Positions(ports, stored, new Map(Object.entries(old ?? {})));
    // A run that died left it in the journal, perhaps unsynced: the power may go before this run has anything to write.
    if (stored.sequence > wholeSequence) await positions.#inTurn(() => positions.#writeWhole());
    return positions;
  }

  of(component: string): readonly Tracked[] {
    return this.#components.get(component) ?? [];
  }

  /**
   * Resolves when `files` are written down: a crash of the process does not undo it, nor, where there are new names, one
   * of the power. Never rejects.
   */
  async record(component: string, files: readonly Tracked[], hasNewNames: boolean): Promise<void> {
    this.#components.set(component, files.slice(-(FORGOTTEN_MAX + files.filter(isLive).length)));
    const sequence = ++this.#sequence;
    await this.#inTurn(() => {
      const waitMs = this.#syncedMs + SYNC_EVERY_MS - this.#clock.monotonicMs();
      const isDue = waitMs <= 0 || hasNewNames;
      if (!isDue)
        this.#timer ??= this.#clock.timer(waitMs, () => {
          this.#timer = undefined;
          void this.#inTurn(() => this.#sync());
        });
      return this.#append({ sequence, component, files: [...this.of(component)] }, isDue);
    });
  }

  /** Writes everything down, with a sync. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#inTurn(() => this.#sync());
    await this.#journal?.close();
    this.#journal = undefined;
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(write).then(
      () => {
        this.#isFailing = false;
      },
      (failure: unknown) => {
        this.failures++;
        // Told once while it lasts: uploading goes on, and a crash now would repeat more.
        if (!this.#isFailing)
          this.#log.error("the positions of the log files cannot be written; after a crash lines go again", {
            reason: messageOf(failure),
          });
        this.#isFailing = true;
      },
    );
    return this.#turn;
  }

  /** Makes durable what is not. */
  async #sync(): Promise<void> {
    if (this.#hasGap) return this.#writeWhole();
    if (!this.#isUnsynced) return;
    this.#syncedMs = this.#clock.monotonicMs();
    try {
      await this.#journal?.sync();
      this.#isUnsynced = false;
    } catch (failure) {
      this.#hasGap = true;
      throw failure;
    }
  }

  async #append(entry: z.infer<typeof Entry>, isDue: boolean): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
    if (this.#journalBytes + bytes.length > JOURNAL_BYTES_MAX) this.#hasGap = true;
    if (this.#hasGap) return isDue ? this.#writeWhole() : undefined;
    if (isDue) this.#syncedMs = this.#clock.monotonicMs();
    try {
      this.#journal ??= await this.#newJournal();
      // A durable write says nothing of what was written before it; where there is such, all is synced.
      if (isDue && !this.#isUnsynced) await this.#journal.writeDurably(this.#journalBytes, bytes);
      else {
        await this.#journal.write(this.#journalBytes, bytes);
        this.#isUnsynced = true;
        if (isDue) await this.#journal.sync();
      }
      if (isDue) this.#isUnsynced = false;
      this.#journalBytes += bytes.length;
    } catch (failure) {
      this.#hasGap = true;
      throw failure;
    }
  }

  async #newJournal(): Promise<File> {
    const journal = await this.#files.open(JOURNAL, "create");
    try {
      await emptied(journal);
      await this.#files.syncFolder("");
      return journal;
    } catch (failure) {
      await journal.close().catch(() => undefined);
      throw failure;
    }
  }

  async #writeWhole(): Promise<void> {
    this.#syncedMs = this.#clock.monotonicMs();
    this.#hasGap = true;
    const whole: z.infer<typeof Stored> = {
      version: 2,
      sequence: this.#sequence,
      components: Object.fromEntries([...this.#components].map(([name, files]) => [name, [...files]])),
    };
    const file = await this.#files.open(NEW, "create");
    try {
      await file.truncate(0);
      await file.write(0, new TextEncoder().encode(JSON.stringify(whole)));
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.rename(NEW, NAME);
    await this.#files.syncFolder("");
    // Entries that are left after a crash here have a sequence that the whole has passed.
    if (this.#journal !== undefined) await emptied(this.#journal);
    this.#journalBytes = 0;
    this.#isUnsynced = false;
    this.#hasGap = false;
  }
}

/** With a sync, so that what follows may be durable by itself. */
async function emptied(file: File): Promise<void> {
  await file.truncate(0);
  await file.sync();
}

function isLive({ state }: Tracked): boolean {
  return state === "live";
}

function parsed<Shape>(shape: z.ZodType<Shape>, text: string | undefined): Shape | undefined {
  try {
    return shape.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

async function readText(files: Files, name: string): Promise<string | undefined> {
  const file = await files.open(name, "read").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    return new TextDecoder().decode(await file.read(0, await file.size()));
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
