import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import type { Clock } from "@coalmine/ports";
import * as z from "zod";

const Header = z.object({ alg: z.literal("RS256"), kid: z.string() });
const Claims = z.looseObject({
  iss: z.string(),
  aud: z.string().optional(),
  client_id: z.string().optional(),
  exp: z.number(),
  nbf: z.number().optional(),
});

export interface JwtAuthorizerOptions {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** What AWS fetches from the issuer. */
  readonly keys: readonly (JsonWebKey & { readonly kid: string })[];
  readonly clock: Pick<Clock, "now">;
}

/** Claims as an integration is handed them: each is text, and a list stands in brackets. */
export type AuthorizedClaims = Readonly<Record<string, string>>;

/**
 * The JWT authorizer of an HTTP API: what a token claims, or undefined where it does not count.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export function jwtAuthorizer({
  issuer,
  audience,
  keys,
  clock,
}: JwtAuthorizerOptions): (authorization: string | undefined) => AuthorizedClaims | undefined {
  return (authorization = "") => {
    const token = authorization.replace(/^Bearer /i, "");
    const [header = "", payload = "", signature = "", ...more] = token.split(".");
    const { kid } = Header.safeParse(json(header)).data ?? {};
    const key = keys.find((one) => one.kid === kid);
    if (key === undefined || more.length > 0) return undefined;
    const isSigned = verify(
      "sha256",
      Buffer.from(`${header}.${payload}`),
      createPublicKey({ key, format: "jwk" }),
      Buffer.from(signature, "base64url"),
    );
    const claims = isSigned ? Claims.safeParse(json(payload)).data : undefined;
    if (claims === undefined || claims.iss !== issuer) return undefined;
    if (!audience.includes(claims.aud ?? claims.client_id ?? "")) return undefined;
    const seconds = clock.now() / 1000;
    if (claims.exp <= seconds || (claims.nbf ?? 0) > seconds) return undefined;
    return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, textOf(value)]));
  };
}

function json(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(" ")}]` : String(value);
}
