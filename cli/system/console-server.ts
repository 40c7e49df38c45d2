import { spawn } from "node:child_process";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { userInfo } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Person, Role } from "@coalmine/contract/operator-api";
import type { Log } from "@coalmine/ports";
import { Closing, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { Hono } from "hono";
import * as z from "zod";
import type { Api } from "../../api/api.ts";
import { ApiError } from "../../api/api-error.ts";
import { operatorApp } from "../../api/http/operator-app.ts";
import { LinkDoor } from "../../api/http/sign-in/link-door.ts";
import { closeOperatorRegion, openOperatorRegion } from "../../api/operator-region.ts";
import type { Target } from "../../pipeline/target.ts";
import { consoleFiles } from "./console-files.ts";
import { HOME } from "./home-region.ts";
import { SystemError, type Places } from "./state.ts";

const BUILD_MS_MAX = 60_000;
const Kept = z.object({ port: z.int(), ownerToken: z.string() });

export interface ConsoleServerParts {
  readonly at: Places;
  readonly api: Api;
  readonly targets: readonly Target[];
  readonly log: Log;
}

export interface ConsoleServer {
  /** Opens one session for this machine's user, once, within a quarter of an hour. */
  link(role?: Role): string;
  close(): Promise<void>;
}

/** Where a console server is kept known, for whoever asks it for another link. */
export const consoleFile = (at: Places): string => join(at.state, "console.json");

/** The console and its API, on one port of this machine that stays the same, so that links stay good. */
export async function startConsole({ at, api, targets, log }: ConsoleServerParts): Promise<ConsoleServer> {
  const closing = new Closing();
  try {
    const folder = join(at.state, "console");
    const why = await buildConsole(at, folder);
    if (why !== undefined) log.warn("the console was not built", { why });
    const [home, ...others] = targets.map((target) =>
      closing.add(openOperatorRegion(target, HOME.accountId), closeOperatorRegion),
    );
    if (home === undefined) throw new Error("the running system names no target");
    const kept = readKept(at);
    const newSecret = (): string => randomBytes(32).toString("base64url");
    const door = new LinkDoor({
      clock: systemClock,
      newSecret,
      sentence: "Open the link that `npm start` printed, or have another one printed: `coalmine console`.",
    });
    let origin = "";
    const app = new Hono();
    const server = createServer((request, response) => void listen(request, response));
    const listen = getRequestListener(app.fetch);
    const port = await listening(server, kept?.port ?? 0);
    closing.add(server, async (open) => {
      open.closeAllConnections();
      await new Promise<void>((resolve) => open.close(() => resolve()));
    });
    origin = `http://127.0.0.1:${port}`;
    const ownerToken = kept?.ownerToken ?? newSecret();
    writeFileSync(consoleFile(at), JSON.stringify({ port, ownerToken }), { mode: 0o600 });
    const link = (person: Person): string => `${origin}/#token=${door.link(person)}`;
    app.post("/links", async (context) => {
      const shown = Buffer.from(context.req.header("authorization") ?? "");
      const wanted = Buffer.from(`Bearer ${ownerToken}`);
      if (shown.length !== wanted.length || !timingSafeEqual(shown, wanted)) return context.body(null, 403);
      const person = Person.safeParse(await context.req.json().catch(() => undefined));
      return person.success ? context.json({ link: link(person.data) }) : context.body(null, 400);
    });
    const operators = operatorApp({
      api,
      regions: [home, ...others],
      clock: systemClock,
      log,
      door,
      origin,
      name: randomBytes(6).toString("hex"),
      canFollow: true,
    });
    app.all("/api/*", (context) => operators.fetch(context.req.raw));
    app.route("/", consoleFiles(folder));
    return {
      link: (role = "admin") => link({ who: userInfo().username, role }),
      close: () => closing.close(),
    };
  } catch (failure) {
    await closing.close();
    throw failure;
  }
}

/** Asks the server that runs with this state for a link. */
export async function askForLink(at: Places, role: string): Promise<string> {
  const kept = readKept(at);
  if (kept === undefined)
    throw new SystemError(
      "ERR_NOT_RUNNING",
      `no console was served with the state in ${at.state}; start it with \`npm start\``,
    );
  const answer = await fetch(`http://127.0.0.1:${kept.port}/links`, {
    method: "POST",
    headers: { authorization: `Bearer ${kept.ownerToken}`, "content-type": "application/json" },
    body: JSON.stringify({ who: userInfo().username, role }),
  });
  if (!answer.ok)
    throw new ApiError(
      "ERR_API_INPUT",
      `the console refused a link for the role "${role}" (${answer.status}); take one of ${Role.options.join(", ")}`,
    );
  return z.object({ link: z.string() }).parse(await answer.json()).link;
}

function readKept(at: Places): z.infer<typeof Kept> | undefined {
  const file = consoleFile(at);
  return existsSync(file) ? Kept.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

/** Takes the port that it had; where another has that now, any. */
async function listening(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  const listen = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(wanted, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(port).catch(() => listen(0));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the console's server has no port");
  return address.port;
}

/** Builds the pages as the console's own command does; gives why there are none. */
async function buildConsole(at: Places, folder: string): Promise<string | undefined> {
  const program = join(at.root, "console/build.ts");
  if (!existsSync(program)) return `${program} is not there`;
  const child = spawn(process.execPath, [program, "--out", folder], {
    cwd: at.root,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: BUILD_MS_MAX,
  });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints = (complaints + chunk.toString("utf8")).slice(-2000);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return code === 0 ? undefined : complaints;
  } catch (failure) {
    return messageOf(failure);
  }
}
