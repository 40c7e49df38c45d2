import type { Clock, Link, Links, LinkTarget, Log, Random } from "@coalmine/ports";
import { fullJitter, messageOf, Waiting } from "@coalmine/runtime";
import type { Counts } from "./counts.ts";
import type { PortSession } from "./port-session.ts";

const RECONNECT = { firstMs: 100, maxMs: 10_000 } as const;

export interface KeeperOwner {
  readonly clock: Clock;
  readonly counts: Counts;
  readonly links: Links;
  readonly random: Random;
  readonly log: Log;
  opened(session: PortSession): void;
  closed(session: PortSession): void;
}

/** What to open, and what to run on it. */
export interface Kept {
  readonly target: LinkTarget;
  session(link: Link): PortSession;
}

/** Keeps one port open and read for as long as it is wanted. */
export class PortKeeper {
  readonly id: string;
  readonly #kept: Kept;
  readonly #owner: KeeperOwner;
  readonly #wait: Waiting;
  #session: PortSession | undefined;
  #wanted = true;
  readonly #ended: Promise<void>;

  constructor(id: string, kept: Kept, owner: KeeperOwner) {
    this.id = id;
    this.#kept = kept;
    this.#owner = owner;
    this.#wait = new Waiting(owner.clock);
    this.#ended = this.#keep();
  }

  /** The ports changed: a wait to try again may end at once. */
  hurry(): void {
    this.#wait.wake();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#session?.close("closed by the reader");
    this.#wait.wake();
    await this.#ended;
  }

  async #keep(): Promise<void> {
    const { links, log, counts, random } = this.#owner;
    let waits = fullJitter(RECONNECT, random);
    let complained = "";
    // Ends with `stop`; each turn waits on the link or on the back-off.
    while (this.#wanted) {
      try {
        const link = await links.open(this.#kept.target);
        const session = this.#kept.session(link);
        this.#session = session;
        if (!this.#wanted) session.close("closed by the reader");
        this.#owner.opened(session);
        const why = await session.run();
        this.#session = undefined;
        this.#owner.closed(session);
        if (!this.#wanted) return;
        counts.add("reconnects");
        if (session.hasRead) {
          waits = fullJitter(RECONNECT, random);
          complained = "";
        }
        if (why !== complained) log.warn("a port closed and is opened again", { port: this.id, why });
        complained = why;
      } catch (failure) {
        const why = messageOf(failure);
        // Once for each reason, not once for each attempt of a night.
        if (why !== complained) log.warn("a port cannot be opened; trying on", { port: this.id, why });
        complained = why;
      }
      if (this.#wanted) await this.#wait.atMost(waits.next().value);
    }
  }
}
