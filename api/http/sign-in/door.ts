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
  /** Ends the session of whoever asks. */
  leave(request: Request): Promise<void>;
  /** What its way of signing in needs beside that, below `/api/sign-in`. */
  routes(): Hono;
}

export interface Opened {
  readonly session: Session;
  readonly cookie: string;
}

const COOKIE = "coalmine_session";

/** Nobody's script reads it, and no other site's request carries it. */
export function setSession(context: Context, { cookie, session }: Opened, secure: boolean): void {
  setCookie(context, COOKIE, cookie, {
    httpOnly: true,
    sameSite: "Strict",
    secure,
    path: "/",
    maxAge: Math.max(0, Math.floor(session.expiresInMs / 1000)),
  });
}

export function endSession(context: Context): void {
  setCookie(context, COOKIE, "", { httpOnly: true, sameSite: "Strict", path: "/", maxAge: 0 });
}

/** What a request shows: its cookie, or a bearer token where a program asks. */
export function shownToken(request: Request): string | undefined {
  const bearer = /^Bearer ([\w.~+/=-]{1,8192})$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const cookies = request.headers.get("cookie") ?? "";
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]{1,8192})`).exec(cookies)?.[1];
}
