import {
  Decision,
  DecisionBody,
  type OperatorCall,
  operatorCalls,
  type Person,
  type Problem,
  roles,
} from "@coalmine/contract/operator-api";
import type { Clock } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import type * as z from "zod";
import type { Region } from "../../pipeline/controller/region.ts";
import { type Api, auditEntries, decide, listRollouts, parseInput, showRollout, whyOf } from "../index.ts";
import { entryStream } from "./entry-stream.ts";

const BODY_BYTES_MAX = 16 * 1024;

/** Who asks, or undefined where that is nobody who may. */
export type Whoever = (request: Request) => Promise<Person | undefined>;

export interface OperatorAppParts {
  readonly api: Api;
  readonly regions: readonly Region[];
  readonly clock: Pick<Clock, "sleep">;
  readonly whoever: Whoever;
}

type Asked = { Variables: { person: Person } };
type Answer<Call extends OperatorCall> = Partial<z.input<(typeof operatorCalls)[Call]["answer"]>>;

/** The operators' API over HTTP: the same on one machine and behind API Gateway. */
export function operatorApp({ api, regions, clock, whoever }: OperatorAppParts): Hono<Asked> {
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
    const person = await whoever(context.req.raw);
    if (person === undefined)
      return context.json(
        problem("ERR_API_SIGN_IN", "sign in first: nobody, or somebody whose session is over, asks"),
        401,
      );
    context.set("person", person);
    return next();
  });

  /** One call of the contract; whoever has not its role is told which it takes. */
  function on<Call extends OperatorCall>(
    call: Call,
    answer: (context: Context<Asked>) => Promise<Answer<Call>>,
  ): void {
    const { method, path, role } = operatorCalls[call];
    app.on(method, path, async (context) => {
      const { person } = context.var;
      if (role !== "anyone" && roles.indexOf(person.role) < roles.indexOf(role))
        return context.json(
          problem(
            "ERR_API_ROLE",
            `this takes the role ${role}, and ${person.who} is ${person.role}: ask an admin`,
          ),
          403,
        );
      return context.json(await answer(context));
    });
  }

  const named = (context: Context<Asked>): { rollout: string } => ({
    rollout: context.req.param("rollout") ?? "",
  });
  on("me", async (context) => context.var.person);
  on("rollouts", () => listRollouts(api));
  on("rollout", async (context) => {
    const shown = await showRollout(api, regions, named(context));
    return { ...shown, why: await whyOf(api, shown) };
  });
  on("audit", (context) => auditEntries(api, named(context)));
  on("decide", async (context) => {
    const kind = parseInput(Decision, context.req.param("decision"));
    const body = parseInput(DecisionBody, await jsonOf(context));
    return decide(api, { ...named(context), ...body, who: context.var.person.who }, kind);
  });
  app.get("/api/events", (context) => entryStream(context, api, clock));

  app.notFound((context) =>
    context.json(problem("ERR_API_NOT_FOUND", `there is no ${context.req.method} ${context.req.path}`), 404),
  );
  app.onError((failure, context) => {
    if (!(failure instanceof CoalmineError)) throw failure;
    return context.json(problem(failure.code, failure.message), statusOf(failure.code));
  });
  return app;
}

export function statusOf(code: string): 400 | 404 | 409 | 500 {
  if (code === "ERR_API_INPUT") return 400;
  if (code === "ERR_API_NOT_FOUND") return 404;
  return code === "ERR_API_CONFLICT" ? 409 : 500;
}

/** A form of another site cannot send this type without being asked first. */
async function jsonOf(context: Context): Promise<unknown> {
  if (context.req.header("content-type") !== "application/json") return undefined;
  return context.req.json().catch(() => undefined);
}

function problem(code: string, sentence: string): z.input<typeof Problem> {
  return { code, sentence, next: "" };
}
