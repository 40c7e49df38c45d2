import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import { secureHeaders } from "hono/secure-headers";
import { streamSSE } from "hono/streaming";
import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { type Flow, FlowError } from "../flow/flow.ts";
import { FILE_BYTES_MAX } from "../flow/file-limit.ts";
import { Deed, StepName, type View } from "../flow/screen.ts";
import type { Language } from "../language.ts";
import { texts } from "../flow/texts/texts.ts";
import type { Door } from "./door.ts";

/** Three files in base64, and what was typed. */
const BODY_BYTES_MAX = 4 * FILE_BYTES_MAX + 64 * 1024;
/** Streams at a time: a phone keeps one, and forgets to close it. */
const STREAMS_MAX = 16;
/** Proxies and phones close what is silent for longer. */
const HEARTBEAT_MS = 15_000;
const COOKIE = "coalmine";

const Code = z.strictObject({ code: z.string().max(64) });
const Go = z.strictObject({ step: StepName });

/** What the browser loads, from memory: no page needs the internet. */
export interface Assets {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

/** A file that a step offers. */
export interface Offered {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface PageParts {
  readonly flow: Flow;
  readonly door: Door;
  readonly assets: Assets;
  readonly clock: Pick<Clock, "sleep">;
  readonly language: () => Language;
  readonly offered: (name: string) => Promise<Offered | undefined>;
}

/** The page and its doors: what is asked of them, and what they answer. */
export function page({ flow, door, assets, clock, language, offered }: PageParts): Hono {
  const app = new Hono();
  let streams = 0;
  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'self'"], imgSrc: ["'self'", "data:"] } }));
  app.use(
    bodyLimit({ maxSize: BODY_BYTES_MAX, onError: (context) => context.json({ problem: "too large" }, 413) }),
  );

  app.get("/", (context) => context.html(assets.html));
  app.get("/app.js", (context) => context.body(assets.script, 200, { "content-type": "text/javascript" }));
  app.get("/style.css", (context) => context.body(assets.style, 200, { "content-type": "text/css" }));

  // What DHCP names in the device's own network. @see RFC 8908, 5
  app.get("/captive", (context) => {
    const portal = { captive: true, "user-portal-url": new URL("/", context.req.url).href };
    return context.body(JSON.stringify(portal), 200, { "content-type": "application/captive+json" });
  });

  app.post("/api/enter", async (context) => {
    const given = Code.safeParse(await json(context));
    const words = texts[language()].door;
    const entered = given.success ? door.enter(given.data.code) : { kind: "wrong" as const };
    if (entered.kind === "in") {
      setCookie(context, COOKIE, entered.session, { httpOnly: true, sameSite: "Strict", path: "/" });
      return context.body(null, 204);
    }
    const problem = entered.kind === "wrong" ? words.wrong : words.shut(Math.ceil(entered.waitMs / 1000));
    return locked(context, problem);
  });

  app.use("/api/*", async (context, next) => {
    if (door.knows(getCookie(context, COOKIE))) return next();
    return locked(context, undefined);
  });
  app.get("/api/view", (context) => context.json(flow.view));
  app.post("/api/act", async (context) => {
    const deed = Deed.safeParse(await json(context));
    if (!deed.success) return context.json({ problem: z.prettifyError(deed.error) }, 400);
    return done(context, () => flow.act(deed.data));
  });
  app.post("/api/go", async (context) => {
    const to = Go.safeParse(await json(context));
    if (!to.success) return context.json({ problem: z.prettifyError(to.error) }, 400);
    return done(context, () => flow.go(to.data.step));
  });
  app.get("/api/files/:name", async (context) => {
    const file = await offered(context.req.param("name"));
    if (file === undefined) return context.notFound();
    return context.body(file.bytes, 200, {
      "content-type": file.type,
      "content-disposition": `attachment; filename="${context.req.param("name")}"`,
    });
  });
  app.get("/api/events", (context) => {
    if (streams >= STREAMS_MAX)
      return context.json({ problem: `${STREAMS_MAX} pages look at this device already` }, 503);
    streams++;
    return streamSSE(context, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      // Whoever is slow gets the newest view, not every one: each says everything.
      let newest: View | undefined = flow.view;
      let wake = (): void => undefined;
      const watching = flow.watch((view) => {
        newest = view;
        wake();
      });
      try {
        while (!gone.signal.aborted) {
          if (newest === undefined) {
            const changed = new Promise<void>((resolve) => (wake = resolve));
            await Promise.race([changed, clock.sleep(HEARTBEAT_MS, gone.signal)]);
          }
          const view: View | undefined = newest;
          newest = undefined;
          if (view === undefined) await stream.writeSSE({ event: "beat", data: "" });
          else await stream.writeSSE({ event: "view", id: String(view.version), data: JSON.stringify(view) });
        }
      } catch (failure) {
        if (!gone.signal.aborted) throw failure;
      } finally {
        watching.unwatch();
        streams--;
      }
    });
  });
  // A phone in the device's own network asks whether there is an internet: this page is all there is.
  app.notFound((context) =>
    context.req.path.startsWith("/api/") ? context.body(null, 404) : context.redirect("/", 302),
  );

  function locked(context: Context, problem: string | undefined): Response {
    const { title, ask, open } = texts[language()].door;
    return context.json({ title, ask, open, problem }, 401);
  }
  return app;
}

async function json(context: Context): Promise<unknown> {
  // A form of another site cannot send this type without being asked first.
  if (context.req.header("content-type") !== "application/json") return undefined;
  return context.req.json().catch(() => undefined);
}

async function done(context: Context, act: () => Promise<void> | void): Promise<Response> {
  try {
    await act();
    return context.body(null, 204);
  } catch (failure) {
    if (!(failure instanceof FlowError)) throw failure;
    return context.json({ problem: failure.sentence }, 409);
  }
}
