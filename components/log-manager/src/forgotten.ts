import type { Clock, Crypto } from "@coalmine/ports";
import type { ClockStep } from "./clock/clock-watch.ts";
import { continued, fileStep, withStep } from "./clock/file-steps.ts";
import type { Content } from "./content.ts";
import { fileKey } from "./followed-file.ts";
import { headOf, isSame, MARK_BYTES, type Position, positionAt, type Tracked } from "./tracked.ts";

/** Beyond this many the oldest are not remembered any more. */
export const FORGOTTEN_MAX = 64;
/** Bytes that were seen and are gone count as lost when no copy of them turns up in this time. */
const LOSS_WAIT_MS = 15_000;
const NEWLINE = 10;

/** The file that holds the content. */
interface Claiming {
  readonly key: string;
  readonly names: readonly string[];
  readonly tracked: Tracked;
}

interface Entry {
  readonly tracked: Tracked;
  /** When it was found gone or cut, if its loss is not settled yet. */
  readonly openSinceMs: number | undefined;
}

/**
 * Files whose content is no longer where it was: cut down, or without a name. Kept, because the content may be found
 * again at another inode, as the copy of copytruncate or as a compressed file, and must then not be sent twice.
 */
export class Forgotten {
  readonly #ports: { readonly clock: Clock; readonly crypto: Crypto };
  readonly #lost: (bytes: number, name: string) => void;
  #entries: Entry[];

  constructor(
    ports: { readonly clock: Clock; readonly crypto: Crypto },
    lost: (bytes: number, name: string) => void,
    remembered: readonly Tracked[],
  ) {
    this.#ports = ports;
    this.#lost = lost;
    this.#entries = remembered.map((tracked) => ({ tracked, openSinceMs: undefined }));
  }

  remembered(): Tracked[] {
    return this.#entries.map(({ tracked }) => tracked);
  }

  add(tracked: Tracked): void {
    const isOpen = tracked.seenBytes > tracked.position.offset;
    this.#entries.push({ tracked, openSinceMs: isOpen ? this.#ports.clock.monotonicMs() : undefined });
    for (const { tracked: old, openSinceMs } of this.#entries.splice(
      0,
      Math.max(0, this.#entries.length - FORGOTTEN_MAX),
    ))
      if (openSinceMs !== undefined) this.#lost(old.seenBytes - old.position.offset, "");
  }

  /**
   * What content at a new inode goes on from, if it is one of these: where that one was left. A plain file may just
   * begin like one that was removed; only what was cut leaves plain copies.
   */
  async claim(content: Content, sizeBytes: number, at: Claiming): Promise<Tracked | undefined> {
    let best: { readonly entry: Entry; readonly position: Position } | undefined;
    for (const entry of this.#entries) {
      const { state } = entry.tracked;
      if (state === "gone" && !content.isCompressed) continue;
      // What was cut and begins again as before is no copy of itself.
      if (state === "cut" && fileKey(entry.tracked) === at.key) continue;
      const position = await this.#positionIn(content, sizeBytes, entry.tracked);
      if (position !== undefined && position.offset >= (best?.position.offset ?? 0))
        best = { entry, position };
    }
    if (best === undefined) return undefined;
    const { entry, position } = best;
    this.#entries = this.#entries.filter((one) => one !== entry);
    const { seenBytes } = entry.tracked;
    const lost = seenBytes - Math.max(sizeBytes, entry.tracked.position.offset);
    if (entry.openSinceMs !== undefined && lost > 0) this.#lost(lost, at.names[0] ?? "");
    const clockSteps = continued(entry.tracked.clockSteps, seenBytes, at.tracked.clockSteps);
    return { ...entry.tracked, position, state: "live", seenBytes: sizeBytes, clockSteps };
  }

  /** The clock was set after all of it was written. */
  noteStep(step: ClockStep): void {
    this.#entries = this.#entries.map(({ tracked, openSinceMs }) => {
      const { seenBytes } = tracked;
      const made = fileStep(step, tracked, seenBytes, seenBytes);
      return { tracked: withStep(tracked, step, made, seenBytes), openSinceMs };
    });
  }

  /** Settles what waited long enough for a copy. */
  countLosses(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#entries = this.#entries.map((entry) => {
      const { tracked, openSinceMs } = entry;
      if (openSinceMs === undefined || nowMs - openSinceMs < LOSS_WAIT_MS) return entry;
      this.#lost(tracked.seenBytes - tracked.position.offset, "");
      return { tracked, openSinceMs: undefined };
    });
  }

  dueInMs(): number {
    const nowMs = this.#ports.clock.monotonicMs();
    return this.#entries.reduce(
      (due, { openSinceMs }) =>
        openSinceMs === undefined ? due : Math.min(due, Math.max(1, openSinceMs + LOSS_WAIT_MS - nowMs)),
      Infinity,
    );
  }

  async #positionIn(content: Content, sizeBytes: number, tracked: Tracked): Promise<Position | undefined> {
    const { headBytes, head, position } = tracked;
    const { crypto } = this.#ports;
    if (headBytes === 0 || sizeBytes < headBytes) return undefined;
    if (headOf(await content.read(0, headBytes), crypto).head !== head) return undefined;
    if (position.offset <= sizeBytes) return (await isSame(content, tracked, crypto)) ? position : undefined;
    // The copy was made before we read the last of it: all of the copy went already.
    const from = Math.max(0, sizeBytes - MARK_BYTES);
    const last = await content.read(from, sizeBytes - from);
    return positionAt(last, from, sizeBytes, last.at(-1) !== NEWLINE, crypto);
  }
}
