import type { Clock, Crypto, FileIdentity, FileStatus, ForeignFolder, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { activeOf, longestName } from "./active.ts";
import type { ClockStep } from "./clock/clock-watch.ts";
import { type FileStep, fileStep, STEPS_MAX } from "./clock/file-steps.ts";
import { DecodingRoom } from "./compressed/compressed-content.ts";
import { Undecodable } from "./compressed/decoder.ts";
import { contentOf, plainContent } from "./content.ts";
import { fileKey, FollowedFile, newlyTracked } from "./followed-file.ts";
import { Forgotten } from "./forgotten.ts";
import { COMPRESSED_GIVE_UP_MS, COMPRESSED_QUIET_MS, Settling } from "./settling.ts";
import type { Position, Tracked } from "./tracked.ts";

/** A file without a name is closed when nothing came for this long: a writer may hold it still. */
const ROTATE_WAIT_MS = 5000;
/** Handles that one source keeps open. */
const OPEN_MAX = 64;

export interface Listed {
  readonly name: string;
  /** As `fileKey` has it. */
  readonly key: string;
  readonly status: FileStatus;
}

export interface FileSetEvents {
  /** Bytes that were known of and cannot be read any more. */
  lost(bytes: number, name: string): void;
  /** A file was cut down or written anew under its name; what nobody saw of it is not known. */
  truncated(name: string): void;
}

/** The files of one source through all that rotation does to them: renamed, copied, cut, compressed, removed. */
export class FileSet {
  readonly #folder: ForeignFolder;
  readonly #ports: { readonly clock: Clock; readonly crypto: Crypto; readonly log: Log };
  readonly #events: FileSetEvents;
  readonly #followed = new Map<string, FollowedFile>();
  readonly #unlisted: Map<string, Tracked>;
  readonly #forgotten: Forgotten;
  readonly #settling: Settling;
  readonly #room = new DecodingRoom();
  /** What is new from the second look on was written while log-manager watched. */
  #hasLooked = false;
  /** Sizes by the last listing before which the clock is known not to have been set. */
  #sure = new Map<string, number>();
  /** How the clock was set while files that the next look finds were there already. */
  readonly #early = new Map<string, Tracked>();
  /** Whether what is to be remembered changed other than by acknowledgements. */
  hasChanged = false;

  constructor(
    folder: ForeignFolder,
    ports: { readonly clock: Clock; readonly crypto: Crypto; readonly log: Log },
    events: FileSetEvents,
    remembered: readonly Tracked[],
    old: ReadonlyMap<string, Pick<Position, "offset" | "mark">>,
  ) {
    this.#folder = folder;
    this.#ports = ports;
    this.#events = events;
    this.#unlisted = new Map(
      remembered.filter(({ state }) => state === "live").map((tracked) => [fileKey(tracked), tracked]),
    );
    // The first look may find that a file was cut since: what is in it now may be from before a step all the same.
    for (const { clockSteps, ...tracked } of this.#unlisted.values())
      if (clockSteps.length > 0)
        this.#early.set(fileKey(tracked), {
          ...newlyTracked(tracked),
          clockSteps: clockSteps.map((step) => ({ ...step, from: 0, sure: 0 })),
        });
    this.#forgotten = new Forgotten(
      ports,
      (bytes, name) => events.lost(bytes, name),
      remembered.filter(({ state }) => state !== "live"),
    );
    this.#settling = new Settling(ports.crypto, this.#forgotten, old, this.#room);
  }

  /** Oldest first; the one that is being written comes last. */
  inOrder(): FollowedFile[] {
    return [...this.#followed.values()].sort(
      (a, b) =>
        Number(a.names.length > 0) - Number(b.names.length > 0) ||
        Number(a.isActive) - Number(b.isActive) ||
        a.modifiedMs - b.modifiedMs ||
        longestName(b) - longestName(a),
    );
  }

  find(key: string): FollowedFile | undefined {
    return this.#followed.get(key);
  }

  remembered(): Tracked[] {
    return [
      ...this.#forgotten.remembered(),
      ...[...this.#followed.values()]
        .filter((file) => file.isSettled || file.isKnown || file.tracked.clockSteps.length > 0)
        .map((file) => file.tracked),
      ...[...this.#early].filter(([key]) => !this.#followed.has(key)).map(([, tracked]) => tracked),
    ];
  }

  /** Takes a new listing of the folder. Must not run while something that was read waits for acknowledgement. */
  async look(listed: readonly Listed[]): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    const byKey = Map.groupBy(listed, ({ key }) => key);
    for (const [key, names] of byKey) {
      const status = names[0]?.status;
      if (status === undefined) continue;
      const file = this.#followed.get(key) ?? this.#follow(key, status, nowMs);
      file.names = names.map(({ name }) => name);
      // What was decompressed so far, or could not be, is of a file that was not finished.
      if (file.note(status, nowMs) && (file.content?.isCompressed === true || file.fault !== undefined)) {
        await file.close();
        file.fault = undefined;
        file.isAbandoned = false;
      }
    }
    for (const [key, tracked] of this.#unlisted) {
      this.#unlisted.delete(key);
      if (tracked.id !== "") this.#forget({ ...tracked, state: "gone" });
    }
    this.#markActive();
    for (const file of this.#followed.values()) {
      if (!byKey.has(file.key)) await this.#lookAtUnnamed(file, nowMs);
      if (file.isDirty && file.fault === undefined) await this.#guarded(file, () => this.#open(file));
    }
    for (const file of this.#followed.values())
      if (file.isDirty && (file.isSettled || file.isKnown) && file.content !== undefined)
        await this.#guarded(file, async () => {
          if (!(await file.holdsWhatWasRead(this.#ports.crypto))) this.#cut(file, nowMs);
          else if (file.content?.isCompressed === false) file.noteContentBytes(file.sizeBytes);
        });
    for (const file of this.#followed.values())
      if (!file.isSettled && file.content !== undefined)
        await this.#guarded(file, async () => {
          if (await this.#settling.settle(file, this.#followed.values(), nowMs)) this.hasChanged = true;
        });
    for (const file of this.#followed.values())
      if (file.fault !== undefined && nowMs - file.changedMs >= COMPRESSED_GIVE_UP_MS) {
        file.isAbandoned = true;
        this.#report(file, file.fault);
      }
    this.#forgotten.countLosses();
    await this.#closeSome();
    this.#hasLooked = true;
    this.#early.clear();
  }

  /** The clock was not set before the folder was `listed`: what is in it then is of the clock before whatever step comes. */
  noteSure(listed: readonly Listed[]): void {
    this.#sure = new Map(listed.map(({ key, status }) => [key, status.sizeBytes]));
  }

  /**
   * The clock was set, and the folder is as `listed`. Gives the step as it concerns what was read of each file, by the
   * name of the file's events.
   */
  noteStep(step: ClockStep, listed: readonly Listed[]): ReadonlyMap<string, FileStep> {
    const sizes = new Map(listed.map(({ key, status }) => [key, status.sizeBytes]));
    const made = new Map<string, FileStep>();
    for (const file of this.#followed.values()) {
      const listedBytes = sizes.get(file.key) ?? 0;
      const { id, seenBytes } = file.tracked;
      const isGrowing = file.names.length > 0 && file.content?.isCompressed !== true;
      const before = isGrowing ? (this.#sure.get(file.key) ?? 0) : file.contentBytes;
      // It was cut in between: what is in it now may be of after.
      const sureBytes = isGrowing && listedBytes < before ? 0 : before;
      const own = file.noteStep(step, sureBytes, Math.max(file.contentBytes, listedBytes, seenBytes));
      if (own !== undefined && id !== "") made.set(id, own);
    }
    for (const { key, status } of listed) this.#noteEarly(step, key, status);
    this.#forgotten.noteStep(step);
    this.noteSure(listed);
    this.hasChanged = true;
    return made;
  }

  /** The next look may find a file new, or find that it was cut; when, its own times tell. */
  #noteEarly(step: ClockStep, key: string, status: FileStatus): void {
    const watchedFrom = this.#hasLooked ? 0 : status.sizeBytes;
    const made = fileStep(step, { watchedFrom }, 0, status.sizeBytes);
    if (made === undefined) return;
    const early = this.#early.get(key) ?? newlyTracked(status);
    this.#early.set(key, { ...early, clockSteps: [...early.clockSteps, made].slice(-STEPS_MAX) });
  }

  /** When the next look is due though nothing is told to change, in milliseconds from now. */
  dueInMs(): number {
    let due = Infinity;
    for (const file of this.#followed.values()) {
      if (file.isAbandoned && file.names.length > 0) continue;
      if (file.fault !== undefined) due = Math.min(due, COMPRESSED_GIVE_UP_MS);
      else if (!file.isSettled && file.sizeBytes > 0) due = Math.min(due, COMPRESSED_QUIET_MS);
      if (file.names.length === 0) due = Math.min(due, ROTATE_WAIT_MS / 2);
    }
    return Math.min(due, this.#forgotten.dueInMs());
  }

  /** A file without a name, read to its end and quiet: it is let go. */
  async release(file: FollowedFile): Promise<void> {
    await file.close();
    this.#followed.delete(file.key);
    if (file.isSettled || file.isKnown) this.#forget({ ...file.tracked, state: "gone" });
  }

  isReleasable(file: FollowedFile): boolean {
    return file.names.length === 0 && this.#ports.clock.monotonicMs() - file.changedMs >= ROTATE_WAIT_MS;
  }

  /** A file that we removed ourselves, unsent: its loss is counted by who removed it. */
  async drop(file: FollowedFile): Promise<void> {
    file.isAbandoned = true;
    await file.close();
    if (this.#followed.delete(file.key)) this.hasChanged = true;
  }

  /** A file could not be read: it is tried again, a compressed one when it has changed. */
  async fail(file: FollowedFile, failure: unknown): Promise<void> {
    if (failure instanceof Undecodable) {
      file.fault = failure;
      await file.close();
      return;
    }
    file.isDirty = false;
    // Whatever it is next time counts as a change.
    file.sizeBytes = -1;
    this.#report(file, failure);
  }

  async close(): Promise<void> {
    for (const file of this.#followed.values()) await file.close();
  }

  #follow(key: string, status: FileStatus, nowMs: number): FollowedFile {
    const known = this.#unlisted.get(key);
    this.#unlisted.delete(key);
    // Of what was never acknowledged the head alone is known, and that may be short: a file that took the inode over,
    // and begins alike, may as well be a copy.
    const isSettled = known !== undefined && known.position.offset > 0;
    const tracked =
      known === undefined
        ? this.#newlyTracked(status, status.sizeBytes)
        : { ...known, watchedFrom: known.watchedFrom ?? Math.max(status.sizeBytes, known.seenBytes) };
    const file = new FollowedFile(tracked, nowMs, isSettled);
    this.#followed.set(key, file);
    return file;
  }

  /** A file of which nothing is known yet: at the first look it may have been written at any time. */
  #newlyTracked(identity: FileIdentity, sizeBytes: number): Tracked {
    const tracked = this.#early.get(fileKey(identity)) ?? newlyTracked(identity);
    return { ...tracked, watchedFrom: this.#hasLooked ? 0 : sizeBytes };
  }

  async #open(file: FollowedFile): Promise<void> {
    // A file without bytes that nothing is known of has nothing to read.
    if (file.handle !== undefined || (file.sizeBytes === 0 && !file.isSettled && !file.isKnown)) return;
    for (const name of file.names) {
      const handle = await this.#folder.open(name);
      // Renamed between listing and opening: what is behind the name now is another file's matter.
      if (fileKey(await handle.status()) !== file.key) await handle.close();
      else {
        file.handle = handle;
        file.content = (await contentOf(handle, this.#room)) ?? plainContent(handle);
        return;
      }
    }
  }

  async #lookAtUnnamed(file: FollowedFile, nowMs: number): Promise<void> {
    if (file.names.length > 0) {
      file.names = [];
      file.changedMs = nowMs;
      file.isActive = false;
      file.isDirty = true;
    }
    // Without a handle nothing of it can be read any more.
    if (file.handle === undefined) await this.release(file);
    else
      await this.#guarded(file, async () => {
        const status = await file.handle?.status();
        if (status !== undefined) file.note(status, nowMs);
      });
  }

  /** The inode was cut down or holds another file's bytes: what is there now is read from its beginning. */
  #cut(file: FollowedFile, nowMs: number): void {
    this.#events.truncated(file.names[0] ?? "");
    this.#forget({ ...file.tracked, state: "cut" });
    this.#sure.delete(file.key);
    // What is there now may be a copy in its turn: the inode may have gone to another file while nobody looked.
    const anew = new FollowedFile(this.#newlyTracked(file.tracked, file.sizeBytes), nowMs, false);
    anew.handle = file.handle;
    anew.content = file.content;
    anew.names = file.names;
    anew.sizeBytes = file.sizeBytes;
    anew.modifiedMs = file.modifiedMs;
    anew.isActive = file.isActive;
    this.#followed.set(file.key, anew);
    this.hasChanged = true;
  }

  #forget(tracked: Tracked): void {
    this.#forgotten.add(tracked);
    this.hasChanged = true;
  }

  #markActive(): void {
    const active = activeOf(
      [...this.#followed.values()].filter(
        (file) => file.names.length > 0 && file.content?.isCompressed !== true,
      ),
    );
    for (const file of this.#followed.values()) {
      const isActive = active.has(file);
      // What was held back in it, because more might come, is looked at again.
      if (file.isActive && !isActive) file.isDirty = true;
      file.isActive = isActive;
    }
  }

  async #closeSome(): Promise<void> {
    const open = this.inOrder().filter(({ handle }) => handle !== undefined);
    for (const file of open.slice(0, Math.max(0, open.length - OPEN_MAX)))
      if (file.names.length > 0 && file.isWhollyUploaded) await file.close();
  }

  /** One file that cannot be read stops no other. */
  async #guarded(file: FollowedFile, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (failure) {
      if (!isMissing(failure)) await this.fail(file, failure);
    }
  }

  #report(file: FollowedFile, failure: unknown): void {
    if (!file.isReported)
      this.#ports.log.error("a log file cannot be read; the others go on", {
        file: file.names[0] ?? "",
        reason: messageOf(failure),
      });
    file.isReported = true;
  }
}

function isMissing(failure: unknown): boolean {
  return failure instanceof Error && "code" in failure && failure.code === "ENOENT";
}
