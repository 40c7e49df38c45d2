import { createHash } from "node:crypto";
import type { Person, Session } from "@coalmine/contract/operator-api";
import type { Clock } from "@coalmine/ports";
import { Hono } from "hono";
import type { Door, Opened } from "./door.ts";
import { shownToken } from "./door.ts";

/** A link that nobody opened meanwhile opens nothing. */
const LINK_MS = 15 * 60_000;
/** A working day. */
const SESSION_MS = 12 * 3_600_000;
/** The oldest go first. */
const LINKS_MAX = 20;
const SESSIONS_MAX = 100;

interface Kept {
  readonly person: Person;
  readonly untilMs: number;
}

export interface LinkDoorParts {
  readonly clock: Pick<Clock, "now">;
  /** A secret that nobody guesses, in characters of an address. */
  readonly newSecret: () => string;
  /** Tells whoever has no link where one comes from. */
  readonly sentence: string;
}

/** One machine's way in: a printed link that opens one session, once. Kept in memory, as hashes. */
export class LinkDoor implements Door {
  readonly #parts: LinkDoorParts;
  readonly #links = new Map<string, Kept>();
  readonly #sessions = new Map<string, Kept>();

  constructor(parts: LinkDoorParts) {
    this.#parts = parts;
  }

  get shown(): Door["shown"] {
    return { how: "link", sentence: this.#parts.sentence };
  }

  /** The token of a new link for a person. */
  link(person: Person): string {
    return this.#keep(this.#links, person, LINK_MS, LINKS_MAX);
  }

  async enter(token: string): Promise<Opened | undefined> {
    const kept = this.#find(this.#links, token);
    this.#links.delete(hashOf(token));
    if (kept === undefined) return undefined;
    const cookie = this.#keep(this.#sessions, kept.person, SESSION_MS, SESSIONS_MAX);
    return { cookie, session: { ...kept.person, expiresInMs: SESSION_MS } };
  }

  async whoever(request: Request): Promise<Session | undefined> {
    const kept = this.#find(this.#sessions, shownToken(request) ?? "");
    return kept && { ...kept.person, expiresInMs: kept.untilMs - this.#parts.clock.now() };
  }

  /** One link is one day's: nothing goes on behind it. */
  async renew(): Promise<undefined> {
    return undefined;
  }

  async leave(request: Request): Promise<undefined> {
    this.#sessions.delete(hashOf(shownToken(request) ?? ""));
    return undefined;
  }

  routes(): Hono {
    return new Hono();
  }

  #keep(where: Map<string, Kept>, person: Person, forMs: number, max: number): string {
    const secret = this.#parts.newSecret();
    where.set(hashOf(secret), { person, untilMs: this.#parts.clock.now() + forMs });
    for (const oldest of where.keys()) if (where.size > max) where.delete(oldest);
    return secret;
  }

  #find(where: Map<string, Kept>, secret: string): Kept | undefined {
    const kept = where.get(hashOf(secret));
    return kept === undefined || kept.untilMs <= this.#parts.clock.now() ? undefined : kept;
  }
}

/** Looking a secret up by its hash tells nothing by the time that it takes. */
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
