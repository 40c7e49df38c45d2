import type { Clock, Instant, JsonObject } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { member } from "../json.ts";
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
const retryDefaults = { clientError: 120, serverError: 60, unknownError: 300 } as const;
/** `credentialRetryInSec` may set them otherwise, within these. */
const RETRY_SECONDS = { min: 10, max: 42_900 };
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
  readonly #retrySeconds: () => JsonObject;
  #kept:
    | {
        readonly until: Instant;
        readonly roleAlias: string;
        readonly answer: Credentials | CredentialsRefused;
      }
    | undefined;
  #asking: Promise<Credentials> | undefined;

  /** `retrySeconds` is `credentialRetryInSec` of the token exchange service's configuration. */
  constructor(
    clock: Clock,
    dataPlane: DataPlane,
    roleAlias: () => string | undefined,
    retrySeconds: () => JsonObject = () => ({}),
  ) {
    this.#clock = clock;
    this.#dataPlane = dataPlane;
    this.#roleAlias = roleAlias;
    this.#retrySeconds = retrySeconds;
  }

  async get(): Promise<Credentials> {
    // What was kept for another role alias is no answer.
    const isCurrent = this.#kept?.roleAlias === this.#roleAlias();
    if (this.#kept !== undefined && isCurrent && this.#clock.now() < this.#kept.until) {
      if (this.#kept.answer instanceof CredentialsRefused) throw this.#kept.answer;
      return this.#kept.answer;
    }
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
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
        if (until > this.#clock.now()) this.#kept = { until, roleAlias, answer: credentials };
        return credentials;
      } catch (failure) {
        const statusCode = failure instanceof DataPlaneError ? failure.statusCode : undefined;
        const isPassing = statusCode === undefined || statusCode === 0 || statusCode >= 500;
        if (isPassing && tries < TRIES) await this.#clock.sleep(BETWEEN_TRIES_MS);
        else throw this.#refused(roleAlias, statusCode, messageOf(failure));
      }
  }

  #refused(roleAlias: string, statusCode: number | undefined, why: string): CredentialsRefused {
    const isClient = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
    const isServer = statusCode !== undefined && statusCode >= 500;
    const kind = isClient ? "clientError" : isServer ? "serverError" : "unknownError";
    const asked = Number(member(this.#retrySeconds(), kind));
    const isSet = asked >= RETRY_SECONDS.min && asked <= RETRY_SECONDS.max;
    const keepMs = (isSet ? asked : retryDefaults[kind]) * 1000;
    const status = isClient || isServer ? statusCode : 500;
    const answer = new CredentialsRefused(
      status,
      `TES responded with status code: ${statusCode ?? 0}. Caching response. ${why}`,
    );
    // Offline passes by itself: the next call asks again.
    if (statusCode !== 0) this.#kept = { until: this.#clock.now() + keepMs, roleAlias, answer };
    return answer;
  }
}
