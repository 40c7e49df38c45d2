import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock, Crypto } from "@coalmine/ports";

/** Wrong codes before the door stays shut for a while, whoever tries: a code has some 40 bits. */
const TRIES_MAX = 5;
const SHUT_MS = 60_000;
/** Phones and laptops that may be in at the same time; the oldest has to come in again. */
const SESSIONS_MAX = 8;
const SESSION_BYTES = 32;

export type Entered =
  | { readonly kind: "in"; readonly session: string }
  | { readonly kind: "wrong" }
  | { readonly kind: "shut"; readonly waitMs: number };

/** Lets in whoever has the code of the device's own label, and knows them again by a session. */
export class Door {
  readonly #code: Uint8Array;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #crypto: Pick<Crypto, "randomBytes">;
  readonly #sessions = new Set<string>();
  #wrong = 0;
  #shutUntilMs = -Infinity;

  constructor(code: string, clock: Pick<Clock, "monotonicMs">, crypto: Pick<Crypto, "randomBytes">) {
    this.#code = digest(code);
    this.#clock = clock;
    this.#crypto = crypto;
  }

  enter(code: string): Entered {
    const now = this.#clock.monotonicMs();
    if (now < this.#shutUntilMs) return { kind: "shut", waitMs: this.#shutUntilMs - now };
    if (!timingSafeEqual(digest(code), this.#code)) {
      if (++this.#wrong < TRIES_MAX) return { kind: "wrong" };
      this.#wrong = 0;
      this.#shutUntilMs = now + SHUT_MS;
      return { kind: "shut", waitMs: SHUT_MS };
    }
    this.#wrong = 0;
    const session = Buffer.from(this.#crypto.randomBytes(SESSION_BYTES)).toString("base64url");
    this.#sessions.add(session);
    for (const oldest of [...this.#sessions].slice(0, -SESSIONS_MAX)) this.#sessions.delete(oldest);
    return { kind: "in", session };
  }

  knows(session: string | undefined): boolean {
    return session !== undefined && this.#sessions.has(session);
  }
}

/** As it is typed: without regard to case, spaces and dashes. */
function digest(code: string): Uint8Array {
  return createHash("sha256").update(code.toUpperCase().replaceAll(/[\s-]/g, "")).digest();
}
