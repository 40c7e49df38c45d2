import { createHash } from "node:crypto";
import type { Session } from "@coalmine/contract/operator-api";
import type { Clock } from "@coalmine/ports";
import { Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import * as z from "zod";
import { type Door, type Opened, setSession, shownRenewal, shownToken } from "./door.ts";
import { roleIn } from "./groups.ts";

const START = "/api/sign-in/start";
/** Where the provider sends people back to: it has to know it beforehand. */
export const BACK = "/api/sign-in/back";
const START_COOKIE = "coalmine_start";
const START_SECONDS = 600;
const EXCHANGE_MS_MAX = 10_000;
/** Clocks differ. */
const TOLERANCE_SECONDS = 30;

export interface ProviderDoorParts {
  readonly issuer: string;
  /** Our name with the provider: what its tokens have to be for. */
  readonly clientId: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** Where what renews a session is called back. */
  readonly revokeUrl: string;
  /** Where a browser signs out of the provider, and comes back to `origin`. */
  readonly logoutUrl: string;
  /** Of this API, as browsers reach it. */
  readonly origin: string;
  /** The provider's keys. */
  readonly keys: JWTVerifyGetKey;
  readonly clock: Pick<Clock, "now">;
  readonly newSecret: () => string;
}

const Claims = z.object({
  sub: z.string(),
  exp: z.number(),
  nonce: z.string().optional(),
  email: z.string().optional(),
  /** Cognito's groups; `coalmine-<role>` gives the role. */
  "cognito:groups": z.array(z.string()).default([]),
});
type Claims = z.infer<typeof Claims>;

const Started = z.object({ state: z.string(), nonce: z.string(), verifier: z.string() });
const Tokens = z.object({ id_token: z.string(), refresh_token: z.string().optional() });
type Tokens = z.infer<typeof Tokens>;

/**
 * The organisation's way in: OpenID Connect, authorization code with PKCE. The session is the provider's own ID token in a
 * cookie that no script reads, verified each time, so that any instance of the API can answer. It is renewed by the
 * provider's refresh token, in another such cookie, which is good once where the provider rotates it.
 * @see https://datatracker.ietf.org/doc/html/rfc7636
 */
export function providerDoor(parts: ProviderDoorParts): Door {
  const { origin, clientId, authorizeUrl, newSecret } = parts;
  const isSecure = origin.startsWith("https:");
  return {
    shown: { how: "provider", start: START },
    whoever: async (request) => {
      const token = shownToken(request);
      const claims = token === undefined ? undefined : await claimsOf(parts, token);
      return claims && sessionOf(claims, parts.clock.now());
    },
    enter: async () => undefined,
    renew: async (request) => {
      const token = shownRenewal(request);
      return token === undefined
        ? undefined
        : opened(parts, await tokensFor(parts, { grant_type: "refresh_token", refresh_token: token }));
    },
    // The ID token cannot be called back: its cookie goes, and its time is short.
    leave: async (request) => {
      const token = shownRenewal(request);
      // One that is over already is refused, which is as good.
      if (token !== undefined) await post(parts.revokeUrl, { client_id: clientId, token });
      const out = new URL(parts.logoutUrl);
      out.searchParams.set("client_id", clientId);
      out.searchParams.set("logout_uri", `${origin}/`);
      return out.href;
    },
    routes: () => {
      const app = new Hono();
      app.get(START, (context) => {
        const started = { state: newSecret(), nonce: newSecret(), verifier: newSecret() };
        // The provider's answer comes from another site: a strict cookie would not come with it.
        setCookie(context, START_COOKIE, Buffer.from(JSON.stringify(started)).toString("base64url"), {
          httpOnly: true,
          sameSite: "Lax",
          secure: isSecure,
          path: "/api/sign-in",
          maxAge: START_SECONDS,
        });
        const asked = new URL(authorizeUrl);
        for (const [name, value] of Object.entries({
          response_type: "code",
          client_id: clientId,
          redirect_uri: `${origin}${BACK}`,
          scope: "openid email",
          state: started.state,
          nonce: started.nonce,
          code_challenge: createHash("sha256").update(started.verifier).digest("base64url"),
          code_challenge_method: "S256",
        }))
          asked.searchParams.set(name, value);
        return context.redirect(asked.href);
      });
      app.get(BACK, async (context) => {
        const started = startedOf(getCookie(context, START_COOKIE));
        deleteCookie(context, START_COOKIE, { path: "/api/sign-in" });
        const { code, state } = context.req.query();
        const tokens =
          started === undefined || code === undefined || state !== started.state
            ? undefined
            : await tokensFor(parts, {
                grant_type: "authorization_code",
                redirect_uri: `${origin}${BACK}`,
                code,
                code_verifier: started.verifier,
              });
        const found = await opened(parts, tokens, started?.nonce);
        if (found === undefined)
          return context.text(
            "The provider did not sign you in: it took too long, you have no role here, or the answer was not for you. Open the console again; if that does not help, ask an admin for a role.",
            403,
          );
        setSession(context, found, isSecure);
        return context.redirect("/");
      });
      return app;
    },
  };
}

/** Undefined where the provider gives none for it. */
async function tokensFor(
  { tokenUrl, clientId }: ProviderDoorParts,
  form: Readonly<Record<string, string>>,
): Promise<Tokens | undefined> {
  const answer = await post(tokenUrl, { client_id: clientId, ...form });
  // What it refuses is over; what it cannot answer now may be asked again.
  if (answer.status >= 500) throw new Error(`the provider's token endpoint answers ${answer.status}`);
  return answer.ok ? Tokens.safeParse(await answer.json()).data : undefined;
}

function post(url: string, form: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(EXCHANGE_MS_MAX),
  });
}

/** The session that tokens open; undefined where they open none, or are not those that were asked for with that nonce. */
async function opened(
  parts: ProviderDoorParts,
  tokens: Tokens | undefined,
  nonce?: string,
): Promise<Opened | undefined> {
  const claims = tokens && (await claimsOf(parts, tokens.id_token));
  const session = claims && sessionOf(claims, parts.clock.now());
  if (tokens === undefined || session === undefined) return undefined;
  if (nonce !== undefined && claims?.nonce !== nonce) return undefined;
  const { id_token: cookie, refresh_token: renewal } = tokens;
  return { session, cookie, ...(renewal === undefined ? {} : { renewal }) };
}

/** What a token says, where it is the provider's, for us, and in time; undefined otherwise. */
async function claimsOf(
  { issuer, clientId, keys, clock }: ProviderDoorParts,
  token: string,
): Promise<Claims | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      algorithms: ["RS256", "ES256"],
      currentDate: new Date(clock.now()),
      clockTolerance: TOLERANCE_SECONDS,
      requiredClaims: ["exp", "sub"],
    });
    return Claims.safeParse(payload).data;
  } catch (failure) {
    // What is not to be believed is nobody's; a provider that cannot be asked for its keys is a fault of ours to see.
    if (failure instanceof errors.JOSEError && !(failure instanceof errors.JWKSTimeout)) return undefined;
    throw failure;
  }
}

function sessionOf(claims: Claims, nowMs: number): Session | undefined {
  const role = roleIn(claims["cognito:groups"]);
  return role && { who: claims.email ?? claims.sub, role, expiresInMs: claims.exp * 1000 - nowMs };
}

function startedOf(cookie: string | undefined): z.infer<typeof Started> | undefined {
  try {
    return Started.parse(JSON.parse(Buffer.from(cookie ?? "", "base64url").toString("utf8")));
  } catch {
    return undefined;
  }
}
