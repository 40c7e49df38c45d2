import type { Clock, Random } from "@coalmine/ports";
import type { KnownCredentials } from "./protocol/authenticate.ts";
import type { Store, Table } from "./store/store.ts";

/** Credentials of a role that the operator assumed, kept until they expire on the cloud's clock. */
export class SessionCredentials {
  readonly #sessions: Table<KnownCredentials>;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(store: Store, clock: Clock, random: Random) {
    this.#sessions = store.table("sts/sessions");
    this.#clock = clock;
    this.#random = random;
  }

  issue(
    principalArn: string,
    durationSeconds: number,
  ): { accessKeyId: string; secretAccessKey: string; sessionToken: string } {
    const now = this.#clock.now();
    for (const [id, session] of this.#sessions.entries())
      if ((session.expiresAt ?? 0) <= now) this.#sessions.delete(id);
    const accessKeyId = `ASIA${this.#text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)}`;
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const secretAccessKey = this.#text(letters, 40);
    const sessionToken = this.#text(letters, 120);
    this.#sessions.set(accessKeyId, {
      secretAccessKey,
      sessionToken,
      caller: { identity: { kind: "account", principalArn } },
      expiresAt: now + durationSeconds * 1000,
    });
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  resolve(accessKeyId: string): KnownCredentials | undefined {
    return this.#sessions.get(accessKeyId);
  }

  #text(letters: string, length: number): string {
    return Array.from({ length }, () => letters[Math.floor(this.#random.next() * letters.length)]).join("");
  }
}
