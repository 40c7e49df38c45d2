import type { Session, SignIn } from "@coalmine/contract/operator-api";
import type { Context, Hono } from "hono";
import { setCookie } from "hono/cookie";

/** How people come in: by a link on one machine, with their organisation's account on AWS. */
export interface Door {
  readonly shown: SignIn;
  /** Who asks, or undefined where that is nobody who may. */
  whoever(request: Request): Promise<Session | undefined>;
  /** The session's cookie for a one-time token; undefined where it opens nothing. */
  enter(token: string): Promise<Opened | undefined>;
  /** The session of whoever asks, which may have ended, for longer; undefined where it is over. */
  renew(request: Request): Promise<Opened | undefined>;
  /** Ends the session of whoever asks; gives where the browser ends the provider's own. */
  leave(request: Request): Promise<string | undefined>;
  /** What its way of signing in needs beside that, below `/api/sign-in`. */
  routes(): Hono;
}

export interface Opened {
  readonly session: Session;
  readonly cookie: string;
  /** By which it is renewed, where the way in gives that. */
  readonly renewal?: string;
}

const COOKIE = "coalmine_session";
const RENEWAL_COOKIE = "coalmine_renewal";
/** It goes to the calls that renew a session or end it, and to no other. */
const RENEWAL_PATH = "/api/session";
/** A shift. What it holds ends by itself as well. */
const RENEWAL_SECONDS = 12 * 3600;

/** Nobody's script reads it, and no other site's request carries it. */
export function setSession(context: Context, { cookie, session, renewal }: Opened, secure: boolean): void {
  const kept = { httpOnly: true, sameSite: "Strict", secure } as const;
  const maxAge = Math.max(0, Math.floor(session.expiresInMs / 1000));
  setCookie(context, COOKIE, cookie, { ...kept, path: "/", maxAge });
  if (renewal !== undefined)
    setCookie(context, RENEWAL_COOKIE, renewal, { ...kept, path: RENEWAL_PATH, maxAge: RENEWAL_SECONDS });
}

export function endSession(context: Context): void {
  const ended = { httpOnly: true, sameSite: "Strict", maxAge: 0 } as const;
  setCookie(context, COOKIE, "", { ...ended, path: "/" });
  setCookie(context, RENEWAL_COOKIE, "", { ...ended, path: RENEWAL_PATH });
}

/** What a request shows: its cookie, or a bearer token where a program asks. */
export function shownToken(request: Request): string | undefined {
  const bearer = /^Bearer ([\w.~+/=-]{1,8192})$/.exec(request.headers.get("authorization") ?? "")?.[1];
  return bearer ?? cookieIn(request, COOKIE);
}

export function shownRenewal(request: Request): string | undefined {
  return cookieIn(request, RENEWAL_COOKIE);
}

function cookieIn(request: Request, name: string): string | undefined {
  const cookies = request.headers.get("cookie") ?? "";
  return new RegExp(`(?:^|;\\s*)${name}=([^;]{1,8192})`).exec(cookies)?.[1];
}
