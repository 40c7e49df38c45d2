import { createServer, type Server } from "node:http";
import { createHash, randomBytes } from "node:crypto";
import { invariant } from "@coalmine/runtime";
import { Hono } from "hono";
import {
  createRemoteJWKSet,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWTPayload,
} from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { setSession } from "./door.ts";
import { providerDoor } from "./provider-door.ts";

const CLIENT = "the-console";
const ORIGIN = "https://console.example";
const NOW = Date.parse("2026-11-28T12:00:00Z");
let nowMs = NOW;
let server: Server;
let issuer = "";
let key: CryptoKey;
let app: Hono;
let door: ReturnType<typeof providerDoor>;
/** Of the code that the provider gave last: what it was asked with. */
let asked: URLSearchParams;
/** What the provider renews a session by. */
const renewals = new Set<string>();
let groups = ["coalmine-operator"];
let isDown = false;

/** A provider as the standard has it: an authorization page, a token endpoint that checks PKCE, and its keys. */
beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  key = privateKey;
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "RS256" }] };
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const answer = (status: number, body: object): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      if (request.url === "/keys") return answer(200, keys);
      const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
      const renewal = form.get(request.url === "/revoke" ? "token" : "refresh_token") ?? "";
      if (isDown) return answer(503, {});
      if (request.url === "/revoke") return answer(renewals.delete(renewal) ? 200 : 400, {});
      // Each is good once.
      if (form.get("grant_type") === "refresh_token" ? !renewals.delete(renewal) : !isCode(form))
        return answer(400, { error: "invalid_grant" });
      const refresh_token = randomBytes(8).toString("hex");
      renewals.add(refresh_token);
      const claims = form.has("code") ? { nonce: asked.get("nonce") ?? "" } : { "cognito:groups": groups };
      void token(claims).then((id_token) => answer(200, { id_token, refresh_token }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  invariant(typeof address === "object" && address !== null, "the provider has no port");
  issuer = `http://127.0.0.1:${address.port}`;
  door = providerDoor({
    issuer,
    clientId: CLIENT,
    authorizeUrl: `${issuer}/authorize`,
    tokenUrl: `${issuer}/token`,
    revokeUrl: `${issuer}/revoke`,
    logoutUrl: `${issuer}/logout`,
    origin: ORIGIN,
    keys: createRemoteJWKSet(new URL(`${issuer}/keys`)),
    clock: { now: () => nowMs },
    newSecret: () => randomBytes(32).toString("base64url"),
  });
  app = door.routes();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Whether the code comes with what it was asked for with. */
function isCode(form: URLSearchParams): boolean {
  const challenge = createHash("sha256")
    .update(form.get("code_verifier") ?? "")
    .digest("base64url");
  return (
    form.get("code") === "the-code" &&
    form.get("redirect_uri") === asked.get("redirect_uri") &&
    challenge === asked.get("code_challenge")
  );
}

function token(
  claims: JWTPayload,
  { by = key, audience = CLIENT, from = issuer, forSeconds = 3600, alg = "RS256" } = {},
): Promise<string> {
  const seconds = Math.floor(nowMs / 1000);
  return new SignJWT({
    email: "ada@clinic.example",
    "cognito:groups": ["coalmine-operator", "coalmine-viewer", "others"],
    ...claims,
  })
    .setProtectedHeader({ alg, kid: "one" })
    .setSubject("1")
    .setIssuer(from)
    .setAudience(audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + forSeconds)
    .sign(by);
}

/** The first half of signing in: gives the cookie, and remembers what the provider was asked. */
async function start(): Promise<string> {
  const answer = await app.request("/api/sign-in/start");
  expect(answer.status).toBe(302);
  asked = new URL(answer.headers.get("location") ?? "").searchParams;
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/HttpOnly; Secure; SameSite=Lax/);
  return cookie.split(";")[0] ?? "";
}
const back = (cookie: string, query: Record<string, string>): Promise<Response> =>
  Promise.resolve(
    app.request(`/api/sign-in/back?${new URLSearchParams(query).toString()}`, { headers: { cookie } }),
  );
const whoShows = (bearer: string): ReturnType<typeof door.whoever> =>
  door.whoever(new Request(ORIGIN, { headers: { authorization: `Bearer ${bearer}` } }));

test("who comes back from the provider with its code has a session with the highest role of its groups", async () => {
  const cookie = await start();
  expect([asked.get("code_challenge_method"), asked.get("response_type"), asked.get("scope")]).toEqual([
    "S256",
    "code",
    "openid email",
  ]);
  const answer = await back(cookie, { code: "the-code", state: asked.get("state") ?? "" });
  expect([answer.status, answer.headers.get("location")]).toEqual([302, "/"]);
  const session = answer.headers.getSetCookie().find((one) => one.startsWith("coalmine_session=")) ?? "";
  expect(session).toMatch(/HttpOnly; Secure; SameSite=Strict$/);
  const asks = new Request(ORIGIN, { headers: { cookie: session.split(";")[0] ?? "" } });
  expect(await door.whoever(asks)).toEqual({
    who: "ada@clinic.example",
    role: "operator",
    expiresInMs: 3_600_000,
  });
  nowMs = NOW + 3_700_000;
  expect(await door.whoever(asks)).toBeUndefined();
  nowMs = NOW;
});

/** Signs in: gives the cookie that holds what renews the session. */
async function renewalOf(): Promise<string> {
  const answer = await back(await start(), { code: "the-code", state: asked.get("state") ?? "" });
  return renewalIn(answer.headers.getSetCookie());
}
function renewalIn(cookies: readonly string[]): string {
  const cookie = cookies.find((one) => one.startsWith("coalmine_renewal=")) ?? "";
  expect(cookie).toMatch(/Max-Age=43200; Path=\/api\/session; HttpOnly; Secure; SameSite=Strict$/);
  return cookie.split(";")[0] ?? "";
}
const renewed = (cookie: string): ReturnType<typeof door.renew> =>
  door.renew(new Request(ORIGIN, { method: "POST", headers: { cookie } }));
const cookieOf = (renewal: string | undefined): string => `coalmine_renewal=${renewal ?? ""}`;

test("a session is renewed for a shift, by a token that is good once, and with the role that somebody has by then", async () => {
  let cookie = await renewalOf();
  for (let hour = 1; hour <= 11; hour++) {
    nowMs = NOW + hour * 3_700_000;
    groups = [hour < 6 ? "coalmine-operator" : "coalmine-viewer"];
    const opened = await renewed(cookie);
    expect(opened?.session).toMatchObject({
      role: hour < 6 ? "operator" : "viewer",
      expiresInMs: 3_600_000 - (nowMs % 1000),
    });
    expect((await whoShows(opened?.cookie ?? ""))?.who).toBe("ada@clinic.example");
    expect(await renewed(cookie)).toBeUndefined();
    cookie = cookieOf(opened?.renewal);
  }
  groups = [];
  expect(await renewed(cookie)).toBeUndefined();
  nowMs = NOW;
  groups = ["coalmine-operator"];
  for (const nobodys of ["", "coalmine_renewal=made-up", "coalmine_session=x"])
    expect(await renewed(nobodys)).toBeUndefined();
});

test("a provider that cannot answer now ends no session", async () => {
  const cookie = await renewalOf();
  isDown = true;
  await expect(renewed(cookie)).rejects.toThrow("answers 503");
  isDown = false;
  expect((await renewed(cookie))?.session.role).toBe("operator");
});

test("signing out calls back what renews the session, and leads to where the provider signs out", async () => {
  const cookie = await renewalOf();
  const out = await door.leave(new Request(ORIGIN, { method: "DELETE", headers: { cookie } }));
  const { origin, pathname, searchParams } = new URL(out ?? "");
  expect([`${origin}${pathname}`, Object.fromEntries(searchParams)]).toEqual([
    `${issuer}/logout`,
    { client_id: CLIENT, logout_uri: `${ORIGIN}/` },
  ]);
  expect(await renewed(cookie)).toBeUndefined();
});

test("another state, another code, a verifier of somebody else, and no cookie at all sign nobody in", async () => {
  const cookie = await start();
  const state = asked.get("state") ?? "";
  const refused = [
    await back(cookie, { code: "the-code", state: "another" }),
    await back(cookie, { code: "another", state }),
    await back("", { code: "the-code", state }),
    await back("coalmine_start=bm8", { code: "the-code", state }),
    await back(cookie, { error: "access_denied", state }),
  ];
  // The provider was asked with one challenge, and the answer comes to who started another time.
  const earlier = cookie;
  await start();
  refused.push(await back(earlier, { code: "the-code", state }));
  for (const answer of refused)
    expect([
      answer.status,
      answer.headers.getSetCookie().some((one) => one.startsWith("coalmine_session")),
    ]).toEqual([403, false]);
});

test("a token of another issuer, for another, of another key, of the past, unsigned or without a role is nobody's", async () => {
  const { privateKey: other } = await generateKeyPair("RS256");
  const forged = [
    await token({}, { by: other }),
    await token({}, { audience: "another" }),
    await token({}, { from: "https://another.example" }),
    await token({}, { forSeconds: -60 }),
    await token({ "cognito:groups": ["admin", "coalmine-root"] }),
  ];
  const [header, payload] = (await token({})).split(".");
  const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  forged.push(`${none}.${payload}.`, `${header}.${payload}.`, "a.b.c", "nothing");
  // The public key as a shared secret, where a verifier takes the algorithm from the token.
  const asSecret = await new SignJWT({ "cognito:groups": ["coalmine-admin"] })
    .setProtectedHeader({ alg: "HS256", kid: "one" })
    .setSubject("1")
    .setIssuer(issuer)
    .setAudience(CLIENT)
    .setExpirationTime(Math.floor(NOW / 1000) + 60)
    .sign(new TextEncoder().encode(JSON.stringify(await (await fetch(`${issuer}/keys`)).json())));
  forged.push(asSecret);
  for (const one of forged) expect(await whoShows(one)).toBeUndefined();
  expect((await whoShows(await token({})))?.role).toBe("operator");
});

test("a cookie over plain HTTP, as on one machine, is not marked for HTTPS alone", async () => {
  const plain = new Hono();
  plain.get("/", (context) => {
    setSession(context, { cookie: "c", session: { who: "ada", role: "viewer", expiresInMs: 1500 } }, false);
    return context.text("");
  });
  expect((await plain.request("/")).headers.get("set-cookie")).toBe(
    "coalmine_session=c; Max-Age=1; Path=/; HttpOnly; SameSite=Strict",
  );
});
