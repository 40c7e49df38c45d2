import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { type OperatorCall, operatorCalls, type Role } from "@coalmine/contract/operator-api";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type * as z from "zod";
import { buildConsole } from "../console/build.ts";
import { auditLog, consoleWorld, type World } from "./console-world.ts";

const types: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript", css: "text/css" };
const TOKEN = "a-link-that-was-printed-once";
type Answer<Call extends OperatorCall> = z.input<(typeof operatorCalls)[Call]["answer"]>;

export interface ConsoleSite {
  readonly url: string;
  /** That opens the console once. */
  readonly link: string;
  readonly world: World;
  /** Whoever is signed in has this role from now on; undefined: nobody is. */
  role: Role | undefined;
  /** Decisions that were carried out. */
  readonly decided: { readonly decision: string; readonly reason: string; readonly key: string }[];
  /** Told to every stream. */
  tell(event: string, data: object): void;
  /** Cuts every stream; while it is down, nobody gets through. */
  cut(isDown?: boolean): void;
  close(): Promise<void>;
}

/**
 * The built console before a fleet that stands still: what every page shows is known, and every answer is held against
 * the contract's schema. The API itself has its own tests.
 */
export async function startConsoleSite(devices = 40): Promise<ConsoleSite> {
  const folder = await mkdtemp(join(tmpdir(), "console-"));
  await buildConsole(folder);
  const world = consoleWorld(devices);
  const events: { event: string; data: string }[] = [];
  const followers = new Set<() => void>();
  let [isDown, cuts, tokens] = [false, 0, 1];
  const app = new Hono();
  const decided: ConsoleSite["decided"] = [];

  const on = <Call extends OperatorCall>(
    call: Call,
    answer: (context: Context) => Promise<Answer<Call> | Response> | Answer<Call> | Response,
  ): void => {
    const { method, path, role, answer: schema } = operatorCalls[call];
    app.on(method, path, async (context) => {
      if (role !== "anyone" && site.role === undefined)
        return context.json({ code: "ERR_API_SESSION", sentence: "nobody is signed in", next: "" }, 401);
      const given = await answer(context);
      return given instanceof Response ? given : context.json(schema.parse(given) as object);
    });
  };
  const session = () => ({
    who: "ada@example.org",
    role: site.role ?? ("viewer" as const),
    expiresInMs: 3_600_000,
  });
  app.use("/api/*", async (context, next) => {
    if (isDown) return context.body(null, 503);
    return next();
  });
  on("signIn", () => ({ how: "link", sentence: "Start it with npm start: it prints the link." }));
  on("enter", async (context) => {
    const { token } = await context.req.json<{ token: string }>();
    if (token !== TOKEN || tokens-- <= 0)
      return context.json(
        { code: "ERR_API_TOKEN", sentence: "this link was used", next: "Print another one." },
        403,
      );
    site.role = "operator";
    return session();
  });
  on("leave", () => {
    site.role = undefined;
    return {};
  });
  on("renew", (context) =>
    site.role === undefined
      ? context.json({ code: "ERR_API_SIGN_IN", sentence: "this session is over", next: "" }, 401)
      : session(),
  );
  on("me", session);
  on("fleets", () => world.fleets);
  on("devices", () => ({ devices: world.devices, total: world.devices.length, sets: world.sets }));
  on("device", (context) => world.device(context.req.param("thing") ?? ""));
  on("logs", (context) => world.logs(context.req.query("before")));
  on("rollouts", () => world.rollouts);
  on("rollout", () => world.rollout);
  on("metrics", () => world.metrics);
  on("audit", () => world.audit);
  on("auditLog", (context) => auditLog(context.req.query("text") ?? ""));
  on("alarms", () => world.alarms());
  on("acknowledge", async (context) => {
    const { reason } = operatorCalls.acknowledge.body.parse(await context.req.json());
    return world.acknowledge(context.req.param("alarm") ?? "", reason);
  });
  on("silence", async (context) => {
    const { reason, forMs } = operatorCalls.silence.body.parse(await context.req.json());
    return world.silence(context.req.param("alarm") ?? "", reason, forMs);
  });
  on("rehearsals", () => ({ rehearsals: world.rehearsals }));
  on("rehearsal", () => ({ ...world.rehearsal }));
  on("decide", async (context) => {
    const { reason, key, state } = operatorCalls.decide.body.parse(await context.req.json());
    const before = decided.find((one) => one.key === key);
    if (before === undefined && state !== world.rollout.state)
      return context.json(
        { code: "ERR_API_CONFLICT", sentence: "it has moved on since it was looked at", next: "Look again." },
        409,
      );
    const decision = context.req.param("decision") ?? "";
    if (before === undefined) decided.push({ decision, reason, key });
    const phase = decision === "promote" ? "waves" : decision === "hold" ? "held" : "rollingBack";
    world.rollout = { ...world.rollout, phase, state: `state-${decided.length}` };
    return { rollout: world.rollout.rollout, phase, sequence: 40 + decided.length, next: "" };
  });
  app.get("/api/events", (context) => {
    if (site.role === undefined) return context.body(null, 401);
    return streamSSE(context, async (stream) => {
      let at = Number(context.req.header("last-event-id") ?? events.length);
      const mine = cuts;
      await stream.writeSSE({ event: "place", id: String(at), data: "" });
      while (mine === cuts && !stream.aborted) {
        for (; at < events.length; at++) {
          const { event = "", data = "" } = events[at] ?? {};
          await stream.writeSSE({ event, id: String(at + 1), data });
        }
        await new Promise<void>((resolve) => {
          followers.add(resolve);
          stream.onAbort(resolve);
        });
      }
    });
  });
  app.get("/api/devices/:thing/logs/events", (context) =>
    streamSSE(context, async (stream) => {
      const after = context.req.header("last-event-id") ?? context.req.query("after");
      await stream.writeSSE({ event: "place", id: after ?? "", data: "" });
      for (const line of world.fresh)
        await stream.writeSSE({ event: "line", id: line.cursor, data: JSON.stringify(line) });
      await new Promise<void>((resolve) => {
        followers.add(resolve);
        stream.onAbort(resolve);
      });
    }),
  );
  app.get("/api/audit/export", (context) => context.text("rollout,sequence\n"));
  app.get("/:name{(parts/.+|keeper.js)?}", async (context) => {
    const name = context.req.param("name") || "index.html";
    const type = types[name.split(".").at(-1) ?? ""] ?? "text/plain";
    return context.body(await readFile(join(folder, name)), 200, { "content-type": type });
  });

  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const url = `http://127.0.0.1:${typeof bound === "object" ? bound?.port : 0}/`;
  const wake = (): void => {
    const woken = [...followers];
    followers.clear();
    for (const follower of woken) follower();
  };
  const site: ConsoleSite = {
    url,
    link: `${url}#/enter?token=${TOKEN}`,
    world,
    role: "operator",
    decided,
    tell(event, data) {
      events.push({ event, data: JSON.stringify(data) });
      wake();
    },
    cut(down = false) {
      cuts++;
      isDown = down;
      wake();
    },
    async close() {
      isDown = true;
      cuts++;
      wake();
      await new Promise((resolve) => {
        server.close(resolve);
        if ("closeAllConnections" in server) server.closeAllConnections();
      });
      await rm(folder, { recursive: true });
    },
  };
  return site;
}

/** Every route of the console, as its link. */
export const consolePlaces = {
  fleets: "#/fleets",
  devices: "#/devices",
  device: "#/devices/rheo-0003",
  rollouts: "#/rollouts",
  rollout: "#/rollouts/r-20261127-1402-9f3ac1",
  audit: "#/audit",
  alarms: "#/alarms",
  rehearsals: "#/rehearsals",
  rehearsal: "#/rehearsals/9f3ac1d07b55",
  lost: "#/nothing",
} as const;
