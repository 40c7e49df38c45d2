import {
  Decision,
  DecisionBody,
  EnterBody,
  type OperatorCall,
  operatorCalls,
  operatorFiles,
  roles,
  type Role,
  type Session,
} from "@coalmine/contract/operator-api";
import type { Clock, Log } from "@coalmine/ports";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import type * as z from "zod";
import { acknowledge } from "../alarms/acknowledge.ts";
import { listAlarms } from "../alarms/list-alarms.ts";
import { silence } from "../alarms/silence.ts";
import { ApiError } from "../api-error.ts";
import { auditLog } from "../audit-log.ts";
import { exportAudit } from "../audit-export.ts";
import { listComponents } from "../components/list-components.ts";
import { commissioningReport, devicePage, whereIs } from "../devices/device-page.ts";
import { logPage } from "../devices/logs.ts";
import { standOf } from "../describe.ts";
import { FleetWatch } from "../fleets/fleet-watch.ts";
import { listDevices } from "../fleets/list-devices.ts";
import { listFleets } from "../fleets/list-fleets.ts";
import { type Api, auditEntries, decide, listRollouts, parseInput } from "../index.ts";
import { rolloutMetrics } from "../metric-series.ts";
import type { OperatorRegion } from "../operator-region.ts";
import { listRehearsals, rehearsalFile, showRehearsal } from "../rehearsals.ts";
import { rolloutPage, seenOf, staleText } from "../rollout-page.ts";
import { entryStream } from "./entry-stream.ts";
import { logStream } from "./log-stream.ts";
import { problem, statusOf } from "./problems.ts";
import { type Door, endSession, setSession } from "./sign-in/door.ts";

const BODY_BYTES_MAX = 16 * 1024;

export interface OperatorAppParts {
  readonly api: Api;
  /** Home first. */
  readonly regions: readonly [OperatorRegion, ...OperatorRegion[]];
  readonly clock: Pick<Clock, "now" | "sleep" | "monotonicMs">;
  readonly log: Log;
  readonly door: Door;
  /** Where browsers have the console from: what changes something has to come from there. */
  readonly origin: string;
  /** Makes places of this server's streams differ from those of any other. */
  readonly name: string;
  /** Whether a stream may stay open; where it may not it tells what is there and ends, and whoever listens comes back. */
  readonly canFollow: boolean;
}

export type Asked = { Variables: { session: Session } };
type Answer<Call extends OperatorCall> = z.input<(typeof operatorCalls)[Call]["answer"]>;

/** The operators' API over HTTP: the same on one machine and behind API Gateway. */
export function operatorApp(parts: OperatorAppParts): Hono<Asked> {
  const { api, regions, clock, door, origin, name } = parts;
  const [home] = regions;
  const watches = regions.map((region) => new FleetWatch({ region, time: api.time, clock, name }));
  const app = new Hono<Asked>();
  app.use(secureHeaders());
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (context) =>
        context.json(problem("ERR_API_INPUT", `a request has at most ${BODY_BYTES_MAX} bytes`), 413),
    }),
  );
  app.use("/api/*", async (context, next) => {
    context.header("cache-control", "no-store");
    const from = context.req.header("origin");
    const site = context.req.header("sec-fetch-site") ?? "same-origin";
    const isOther = (from !== undefined && from !== origin) || !["same-origin", "none"].includes(site);
    // A provider's answer leads back here from its own site, and changes nothing of a fleet.
    if (isOther && context.req.method !== "GET")
      return context.json(problem("ERR_API_ORIGIN", `this is done from ${origin} alone`), 403);
    return next();
  });

  /** Answers whoever has the role; the others are told which it takes. */
  async function allowed(context: Context<Asked>, role: Role): Promise<Response | undefined> {
    const session = await door.whoever(context.req.raw);
    if (session === undefined)
      return context.json(
        problem("ERR_API_SIGN_IN", "sign in first: nobody, or somebody whose session is over, asks"),
        401,
      );
    context.set("session", session);
    if (roles.indexOf(session.role) >= roles.indexOf(role)) return undefined;
    return context.json(
      problem("ERR_API_ROLE", `this takes the role ${role}, and ${session.who} is ${session.role}`),
      403,
    );
  }

  function on<Call extends OperatorCall>(
    call: Call,
    answer: (context: Context<Asked>) => Promise<Answer<Call>>,
  ): void {
    const { method, path, role } = operatorCalls[call];
    app.on(method, path, async (context) => {
      const refused = role === "anyone" ? undefined : await allowed(context, role);
      return refused ?? context.json(await answer(context));
    });
  }
  function onFile(path: string, answer: (context: Context<Asked>) => Response | Promise<Response>): void {
    app.get(path, async (context) => (await allowed(context, "viewer")) ?? answer(context));
  }

  on("signIn", async () => door.shown);
  on("enter", async (context) => {
    const { token } = parseInput(EnterBody, await jsonOf(context));
    const opened = await door.enter(token);
    if (opened === undefined)
      throw new ApiError(
        "ERR_API_SIGN_IN",
        "this link opens nothing: it was used already, or is older than a quarter of an hour",
      );
    setSession(context, opened, origin.startsWith("https:"));
    return opened.session;
  });
  on("renew", async (context) => {
    const opened = await door.renew(context.req.raw);
    if (opened === undefined) {
      endSession(context);
      throw new ApiError("ERR_API_SIGN_IN", "this session is over: nothing renews it any more");
    }
    setSession(context, opened, origin.startsWith("https:"));
    return opened.session;
  });
  on("leave", async (context) => {
    endSession(context);
    const at = await door.leave(context.req.raw);
    return at === undefined ? {} : { at };
  });
  app.route("/", door.routes());

  on("me", async (context) => context.var.session);
  on("fleets", async () => ({ fleets: await listFleets(api, watches) }));
  on("devices", (context) => listDevices(watches, context.req.query()));
  on("device", (context) => devicePage(api, watches, { thing: param(context, "thing") }));
  on("logs", async (context) => {
    const thing = param(context, "thing");
    const region = regionOf((await whereIs(watches, thing)).watch);
    return logPage({ region, nowMs: await api.time.now(region.target) }, thing, context.req.query());
  });
  on("components", async () => ({ components: await listComponents(regions) }));
  on("rollouts", () => listRollouts(api));
  on("rollout", (context) => rolloutPage(api, watches, named(context)));
  on("metrics", (context) => rolloutMetrics(api, named(context)));
  on("audit", (context) => auditEntries(api, named(context)));
  on("auditLog", (context) => auditLog(api, context.req.query()));
  on("decide", async (context) => {
    const kind = parseInput(Decision, param(context, "decision"));
    const body = parseInput(DecisionBody, await jsonOf(context));
    return decide(api, { ...named(context), ...body, who: context.var.session.who }, kind, async () =>
      kind === "promote" ? staleText(await seenOf(watches, await standOf(api, named(context)))) : undefined,
    );
  });
  on("alarms", () => listAlarms(parts));
  const ofAlarm = async (context: Context<Asked>) => ({
    alarm: param(context, "alarm"),
    who: context.var.session.who,
    body: await jsonOf(context),
  });
  on("acknowledge", async (context) => acknowledge(parts, await ofAlarm(context)));
  on("silence", async (context) => silence(parts, await ofAlarm(context)));
  on("rehearsals", () => listRehearsals(api, home));
  on("rehearsal", (context) => showRehearsal(api, param(context, "commit")));

  const regionOf = (watch: FleetWatch): OperatorRegion =>
    regions.find(({ target }) => target.name === watch.fleet) ?? home;
  const goesOn = (context: Context<Asked>) => async () =>
    parts.canFollow && (await door.whoever(context.req.raw)) !== undefined;
  onFile(operatorFiles.events, (context) =>
    entryStream(context, { ...parts, watches, goesOn: goesOn(context) }),
  );
  onFile(operatorFiles.logEvents, async (context) => {
    const { watch } = await whereIs(watches, param(context, "thing"));
    const thing = param(context, "thing");
    return logStream(context, { ...parts, region: regionOf(watch), thing, goesOn: goesOn(context) });
  });
  onFile(operatorFiles.commissioning, async (context) =>
    context.body(await commissioningReport(watches, { thing: param(context, "thing") }), 200, {
      "content-type": "application/json",
    }),
  );
  // Files to keep: a page that a push has made must not run as one of the console's.
  const attached = (
    context: Context<Asked>,
    { name: file, type, text }: { readonly name: string; readonly type: string; readonly text: string },
  ): Response =>
    context.body(text, 200, {
      "content-type": type,
      "content-disposition": `attachment; filename="${file}"`,
    });
  onFile(operatorFiles.auditExport, async (context) =>
    attached(context, await exportAudit(api, context.req.query())),
  );
  onFile(operatorFiles.rehearsalReport, async (context) =>
    attached(context, await rehearsalFile(home, param(context, "commit"), context.req.query())),
  );

  app.all("/api/*", (context) =>
    context.json(problem("ERR_API_NOT_FOUND", `there is no ${context.req.method} ${context.req.path}`), 404),
  );
  app.onError((failure, context) => {
    if (failure instanceof CoalmineError && failure.code === "ERR_API_SIGN_IN")
      return context.json(problem(failure.code, failure.message), 401);
    if (failure instanceof CoalmineError && statusOf(failure.code) !== 500)
      return context.json(problem(failure.code, failure.message), statusOf(failure.code));
    // What is no refusal is ours to see, and may hold what is nobody else's.
    parts.log.error("a call failed", { path: context.req.path, why: messageOf(failure) });
    return context.json(problem("ERR_API_INTERNAL", "the server failed at this, and its log says why"), 500);
  });
  return app;
}

function param(context: Context<Asked>, name: string): string {
  return context.req.param(name) ?? "";
}

function named(context: Context<Asked>): { rollout: string } {
  return { rollout: param(context, "rollout") };
}

/** A form of another site cannot send this type without being asked first. */
async function jsonOf(context: Context): Promise<unknown> {
  if (context.req.header("content-type") !== "application/json") return undefined;
  return context.req.json().catch(() => undefined);
}
