import type { Clock, Instant } from "@coalmine/ports";
import type { Iot } from "../iot/iot.ts";
import { type Caller, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { secret } from "./certificate-authority.ts";

interface Issued {
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly caller: Caller;
  /** On the cloud's own clock. */
  readonly expiresAt: Instant;
}

/** As the credentials provider answers. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** On the wall clock, since SDKs compare it with no other. */
  readonly expiration: string;
}

/** Ours: how often what has expired is thrown away. */
const SWEEP_MS = 3600_000;

/** AWS IoT's credentials provider: a certificate becomes the credentials of a role for a while. */
export class CredentialsProvider {
  readonly #issued: Table<Issued>;
  readonly #iot: Iot;
  readonly #clock: Clock;
  readonly #wallClock: Clock;
  #sweptAt: Instant;

  constructor(options: {
    readonly store: Store;
    readonly iot: Iot;
    /** How long credentials last. */
    readonly clock: Clock;
    /** When an SDK is told that they end. */
    readonly wallClock: Clock;
  }) {
    this.#issued = options.store.table("session-credentials");
    this.#iot = options.iot;
    this.#clock = options.clock;
    this.#wallClock = options.wallClock;
    this.#sweptAt = options.clock.now();
  }

  /** @throws ServiceError as the provider refuses. */
  issue(certificateId: string, roleAlias: string, thingName: string | undefined): SessionCredentials {
    const { things, roleAliases, permissions } = this.#iot;
    if (thingName !== undefined && !things.principals.has(thingName, certificateId))
      throw new ServiceError("InvalidRequestException", 403, "Invalid thing name passed");
    const alias = roleAliases.table.get(roleAlias);
    if (alias === undefined)
      throw new ServiceError("ResourceNotFoundException", 404, "Role alias does not exist");
    if (!permissions.mayAssume(certificateId, roleAlias, thingName))
      throw new ServiceError("AccessDeniedException", 403, "Access Denied");
    this.#sweep();
    const lifeMs = alias.credentialDurationSeconds * 1000;
    const accessKeyId = `ASIA${secret(24)
      .replace(/[^A-Za-z0-9]/g, "X")
      .toUpperCase()
      .slice(0, 16)}`;
    const [sole] = things.principals.leftOf(certificateId);
    const issued: Issued = {
      secretAccessKey: secret(40),
      sessionToken: secret(128),
      caller: { identity: { kind: "role", roleArn: alias.roleArn, thingName: thingName ?? sole ?? "" } },
      expiresAt: this.#clock.now() + lifeMs,
    };
    this.#issued.set(accessKeyId, issued);
    return {
      accessKeyId,
      secretAccessKey: issued.secretAccessKey,
      sessionToken: issued.sessionToken,
      expiration: new Date(this.#wallClock.now() + lifeMs).toISOString().replace(/\.\d+Z$/, "Z"),
    };
  }

  /** For the door that checks signatures. What has expired is still told, with its time. */
  readonly resolveCredentials = (accessKeyId: string): Issued | undefined => this.#issued.get(accessKeyId);

  /** `GET /role-aliases/<alias>/credentials`, from a device that TLS has proved. */
  readonly handle = (
    request: {
      readonly method: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string | undefined>>;
    },
    device: { readonly certificateId: string; readonly thingName: string | undefined },
  ): { status: number; headers: Record<string, string>; body: string } => {
    const answer = (status: number, body: object) => ({
      status,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const alias = /^\/role-aliases\/([^/]+)\/credentials$/.exec(request.path)?.[1];
    if (alias === undefined || request.method !== "GET") return answer(404, { message: "Not Found" });
    try {
      const thingName = request.headers["x-amzn-iot-thingname"];
      return answer(200, {
        credentials: this.issue(device.certificateId, decodeURIComponent(alias), thingName),
      });
    } catch (failure) {
      if (failure instanceof ServiceError) return answer(failure.statusCode, { message: failure.message });
      if (failure instanceof URIError) return answer(400, { message: "The role alias cannot be read" });
      throw failure;
    }
  };

  #sweep(): void {
    const now = this.#clock.now();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    const expired = [...this.#issued.entries()].filter(([, { expiresAt }]) => expiresAt <= now);
    for (const [accessKeyId] of expired) this.#issued.delete(accessKeyId);
  }
}
