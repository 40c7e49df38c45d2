import type { Clock, Instant } from "@coalmine/ports";
import { ServiceError, type Caller } from "../service.ts";
import type { HttpRequest } from "./http.ts";
import { instantOf, isPayloadAsSigned, isSignedBy, type Signature } from "./sigv4.ts";

/** Credentials that the cloud knows. `expiresAt` is an instant of the cloud's own clock; undefined is for ever. */
export interface KnownCredentials {
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly caller: Caller;
  readonly expiresAt?: Instant | undefined;
}

export type ResolveCredentials = (accessKeyId: string) => KnownCredentials | undefined;

/** How far the signature's date may be from the wall clock. */
const SKEW_MS_MAX = 15 * 60_000;
const PRESIGNED_SECONDS_MAX = 7 * 24 * 3600;

export interface Authenticated {
  readonly caller: Caller;
  readonly signature: Signature;
  readonly secretAccessKey: string;
}

/** S3 names its refusals differently. */
const codes = {
  aws: {
    missing: "MissingAuthenticationTokenException",
    unknown: "UnrecognizedClientException",
    expired: "ExpiredTokenException",
    wrong: "InvalidSignatureException",
    skewed: "InvalidSignatureException",
    scope: "InvalidSignatureException",
    payload: "InvalidSignatureException",
    presignedExpired: "InvalidSignatureException",
  },
  s3: {
    missing: "AccessDenied",
    unknown: "InvalidAccessKeyId",
    expired: "ExpiredToken",
    wrong: "SignatureDoesNotMatch",
    skewed: "RequestTimeTooSkewed",
    scope: "AuthorizationHeaderMalformed",
    payload: "XAmzContentSHA256Mismatch",
    presignedExpired: "AccessDenied",
  },
} as const;

/** Says who calls, or throws as AWS refuses. */
export class Authenticator {
  readonly #resolve: ResolveCredentials;
  readonly #region: string;
  readonly #clock: Clock;
  readonly #wallClock: Clock;

  constructor(options: {
    readonly resolveCredentials: ResolveCredentials;
    readonly region: string;
    /** For the life of issued credentials. */
    readonly clock: Clock;
    /** For what SDKs sign with: they know no other. */
    readonly wallClock: Clock;
  }) {
    this.#resolve = options.resolveCredentials;
    this.#region = options.region;
    this.#clock = options.clock;
    this.#wallClock = options.wallClock;
  }

  /** `signature` is what the request says of its own. */
  authenticate(request: HttpRequest, signature: Signature | undefined): Authenticated {
    const words = codes[signature?.scope.service === "s3" || signature === undefined ? "s3" : "aws"];
    if (signature === undefined)
      throw new ServiceError(words.missing, 403, "The request has no AWS Signature Version 4.");
    const known = this.#resolve(signature.accessKeyId);
    if (known === undefined)
      throw new ServiceError(words.unknown, 403, "The security token included in the request is invalid.");
    if (known.sessionToken !== signature.sessionToken)
      throw new ServiceError(words.unknown, 403, "The security token included in the request is invalid.");
    if (known.expiresAt !== undefined && known.expiresAt <= this.#clock.now())
      throw new ServiceError(words.expired, 403, "The security token included in the request is expired");
    this.#checkDate(signature, words);
    if (signature.scope.region !== this.#region)
      throw new ServiceError(
        words.scope,
        403,
        `Credential should be scoped to region '${this.#region}', not '${signature.scope.region}': give the client that region.`,
      );
    if (!signature.signedHeaders.includes("host") || !isSignedBy(request, signature, known.secretAccessKey))
      throw new ServiceError(
        words.wrong,
        403,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
      );
    if (!isPayloadAsSigned(request))
      throw new ServiceError(
        words.payload,
        400,
        "The body is not the one whose SHA-256 was signed in x-amz-content-sha256.",
      );
    return { caller: known.caller, signature, secretAccessKey: known.secretAccessKey };
  }

  #checkDate(signature: Signature, words: (typeof codes)["aws" | "s3"]): void {
    const signedAt = instantOf(signature.dateText);
    const now = this.#wallClock.now();
    if (Number.isNaN(signedAt) || !signature.dateText.startsWith(signature.scope.date))
      throw new ServiceError(words.wrong, 403, "The date of the signature is not the date of its scope.");
    if (signature.expiresSeconds !== undefined) {
      const { expiresSeconds } = signature;
      if (!(expiresSeconds >= 1 && expiresSeconds <= PRESIGNED_SECONDS_MAX))
        throw new ServiceError(
          "AuthorizationQueryParametersError",
          400,
          "X-Amz-Expires must be between 1 and 604800.",
        );
      if (now > signedAt + expiresSeconds * 1000)
        throw new ServiceError(words.presignedExpired, 403, "Request has expired");
    }
    const tooEarly = signedAt - now > SKEW_MS_MAX;
    const tooLate = signature.expiresSeconds === undefined && now - signedAt > SKEW_MS_MAX;
    if (tooEarly || tooLate)
      throw new ServiceError(
        words.skewed,
        403,
        `Signature ${tooEarly ? "not yet current" : "expired"}: ${signature.dateText} is not within 15 minutes of ${new Date(now).toISOString()}.`,
      );
  }
}
