import type { Clock, Instant } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { DataPlaneError, type DataPlane } from "../ports.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: string;
}

/** Credentials are given out until so long before they end. */
export const BEFORE_EXPIRY_MS = 300_000;
/** How long a refusal is remembered, so that a thousand calls do not become a thousand requests. */
const CLIENT_ERROR_MS = 120_000;
const SERVER_ERROR_MS = 60_000;
const UNKNOWN_ERROR_MS = 300_000;
const TRIES = 3;
const BETWEEN_TRIES_MS = 200;

/** The cloud did not give credentials; `statusCode` is what the local endpoint answers. */
export class CredentialsRefused extends Error {
  override readonly name = "CredentialsRefused";
  readonly statusCode: number;
  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** The device's token-exchange role, with the nucleus's rules of what is kept and for how long. One request at a time. */
export class CredentialsCache {
  readonly #clock: Clock;
  readonly #dataPlane: DataPlane;
  readonly #roleAlias: () => string | undefined;
  #kept: { readonly until: Instant; readonly answer: Credentials | CredentialsRefused } | undefined;
  #asking: Promise<Credentials> | undefined;

  constructor(clock: Clock, dataPlane: DataPlane, roleAlias: () => string | undefined) {
    this.#clock = clock;
    this.#dataPlane = dataPlane;
    this.#roleAlias = roleAlias;
  }

  async get(): Promise<Credentials> {
    if (this.#kept !== undefined && this.#clock.now() < this.#kept.until) {
      if (this.#kept.answer instanceof CredentialsRefused) throw this.#kept.answer;
      return this.#kept.answer;
    }
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /** After a change of role alias, certificate or endpoint nothing kept is right. */
  forget(): void {
    this.#kept = undefined;
  }

  async #ask(): Promise<Credentials> {
    const roleAlias = this.#roleAlias();
    if (roleAlias === undefined)
      throw new CredentialsRefused(
        500,
        "the device has no iotRoleAlias; set it in the nucleus's configuration",
      );
    for (let tries = 1; ; tries++)
      try {
        const credentials = await this.#dataPlane.getCredentials(roleAlias);
        const until = Date.parse(credentials.expiration) - BEFORE_EXPIRY_MS;
        if (until > this.#clock.now()) this.#kept = { until, answer: credentials };
        return credentials;
      } catch (failure) {
        const statusCode = failure instanceof DataPlaneError ? failure.statusCode : undefined;
        const isPassing = statusCode === undefined || statusCode === 0 || statusCode >= 500;
        if (isPassing && tries < TRIES) await this.#clock.sleep(BETWEEN_TRIES_MS);
        else throw this.#refused(statusCode, messageOf(failure));
      }
  }

  #refused(statusCode: number | undefined, why: string): CredentialsRefused {
    const isClient = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
    const isServer = statusCode !== undefined && statusCode >= 500;
    const keepMs = isClient ? CLIENT_ERROR_MS : isServer ? SERVER_ERROR_MS : UNKNOWN_ERROR_MS;
    const status = isClient || isServer ? statusCode : 500;
    const answer = new CredentialsRefused(
      status,
      `TES responded with status code: ${statusCode ?? 0}. Caching response. ${why}`,
    );
    // Offline passes by itself: the next call asks again.
    if (statusCode !== 0) this.#kept = { until: this.#clock.now() + keepMs, answer };
    return answer;
  }
}
