import type { Measurement } from "@coalmine/contract";
import type { Clock, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { ModelReference } from "./config.ts";
import type { ModelShelf } from "./model-shelf.ts";
import type { ServedModel } from "./served-model.ts";
import { isSameInput, windowsFor } from "./windows-for.ts";
import type { Window } from "./window.ts";

/** Windows that a new model must score before the one before it is let go; a failure among them brings that back. */
const PROBATION_WINDOWS = 3;

interface Champion {
  readonly reference: ModelReference;
  readonly served: ServedModel;
}

export interface ServingEvents {
  swapped(): void;
  fellBack(): void;
}

/**
 * The model that serves. Another one is tried and opened beside it, and takes over between two windows: each window is
 * of the model that served when it was complete. Until the new one has scored some, the old one stays open, and comes
 * back at the first failure.
 */
export class Serving {
  readonly #ports: { readonly clock: Clock; readonly log: Log };
  readonly #shelf: ModelShelf;
  readonly #events: ServingEvents;
  #champion: Champion | undefined;
  #before: Champion | undefined;
  #probation = 0;
  /** The one that failed last. */
  #fallen: ServedModel | undefined;
  #windows = windowsFor({ kind: "flow-curve", version: 0, points: 2 });
  #lastWindow: Window | undefined;
  #isClosed = false;

  constructor(ports: { readonly clock: Clock; readonly log: Log }, shelf: ModelShelf, events: ServingEvents) {
    this.#ports = ports;
    this.#shelf = shelf;
    this.#events = events;
  }

  get served(): ServedModel | undefined {
    return this.#champion?.served;
  }

  /** Points of windows that never became complete and were given up. */
  get dropped(): number {
    return this.#windows.dropped;
  }

  async start(reference: ModelReference): Promise<void> {
    const served = await this.#shelf.first(reference);
    this.#take({ reference, served });
    // The last good one may have come up in its place: that is no copy to keep.
    if (served.manifest.sha256 === reference.sha256) await this.#shelf.keep(reference);
  }

  /** Windows that the points complete, for the model that serves now. */
  add(points: readonly Measurement[]): { window: Window; served: ServedModel }[] {
    const { served } = this;
    if (served === undefined) return [];
    return this.#windows.add(points).map((window) => {
      this.#lastWindow = window;
      return { window, served };
    });
  }

  serves({ component, componentVersion, sha256 }: ModelReference): boolean {
    const now = this.#champion;
    return (
      now !== undefined &&
      now.served.manifest.sha256 === sha256 &&
      now.reference.componentVersion === componentVersion &&
      now.reference.component === component
    );
  }

  /** Takes `reference` into service, or says in the log why it may not and leaves the one that serves. */
  async swap(reference: ModelReference): Promise<void> {
    if (this.serves(reference)) return;
    const startedMs = this.#ports.clock.monotonicMs();
    try {
      const before = this.#before;
      const isComingBack = before !== undefined && isSame(before.reference, reference);
      const served = isComingBack ? before.served : await this.#shelf.candidate(reference);
      if (this.#isClosed) return await served.close();
      if (isComingBack) this.#before = undefined;
      this.#before?.served.retire();
      this.#before = this.#champion;
      this.#take({ reference, served });
      this.#events.swapped();
      this.#ports.log.info("another model serves from here on", {
        before: this.#before?.served.manifest.sha256,
        after: served.manifest.sha256,
        version: reference.componentVersion,
        lastInstrument: this.#lastWindow?.instrument,
        lastBoot: this.#lastWindow?.boot,
        lastSequence: this.#lastWindow?.to,
        tookMs: Math.round(this.#ports.clock.monotonicMs() - startedMs),
      });
    } catch (refused) {
      this.#ports.log.error("a model was refused and the serving one kept", { reason: messageOf(refused) });
    }
  }

  /** The model that serves has scored some windows. */
  scored(served: ServedModel, windows: number): void {
    if (served !== this.served || this.#before === undefined) return;
    this.#probation -= windows;
    if (this.#probation > 0) return;
    this.#before.served.retire();
    this.#before = undefined;
    if (this.#champion !== undefined) void this.#shelf.keep(this.#champion.reference);
  }

  /** The model that takes over where `failed`, fresh in service, could not score a window. */
  insteadOf(failed: ServedModel, reason: string): ServedModel | undefined {
    // Others of its batch ask after the first one brought the model before it back.
    if (failed !== this.served) return failed === this.#fallen ? this.served : undefined;
    const before = this.#before;
    if (before === undefined) return undefined;
    this.#ports.log.error("the new model failed and the one before it serves again", {
      failed: failed.manifest.sha256,
      serving: before.served.manifest.sha256,
      reason,
    });
    this.#before = undefined;
    this.#fallen = failed;
    this.#take(before);
    failed.retire();
    this.#events.fellBack();
    return before.served;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#before?.served.close();
    await this.served?.close();
    this.#champion = undefined;
  }

  #take(next: Champion): void {
    const now = this.#champion?.served.manifest;
    if (now === undefined || !isSameInput(now, next.served.manifest)) {
      const open = this.#windows.open();
      this.#windows = windowsFor(next.served.manifest.preprocessing);
      this.#windows.add(open);
    }
    this.#champion = next;
    this.#probation = PROBATION_WINDOWS;
  }
}

function isSame(a: ModelReference, b: ModelReference): boolean {
  return a.component === b.component && a.componentVersion === b.componentVersion && a.sha256 === b.sha256;
}
