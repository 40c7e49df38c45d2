import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Person } from "@coalmine/contract/operator-api";
import { type Closing, silentLog } from "@coalmine/runtime";
import { Hono } from "hono";
import { type OperatorAppParts, operatorApp } from "../api/http/operator-app.ts";
import { LinkDoor } from "../api/http/sign-in/link-door.ts";
import { consoleFiles } from "../cli/system/console-files.ts";

type Parts = Pick<OperatorAppParts, "api" | "regions" | "clock">;

export interface OperatorServer {
  readonly origin: string;
  /** Signs a person in, once. */
  readonly link: (person: Person) => string;
}

/** The real operators' API on a port of this machine, with the console that was built into a folder. */
export async function startOperatorServer(
  closing: Closing,
  folder: string,
  parts: Parts,
): Promise<OperatorServer> {
  const door = new LinkDoor({
    // A link's quarter of an hour is the wall's, whatever the fleet's clock does.
    clock: { now: () => Date.now() },
    newSecret: () => crypto.randomUUID(),
    sentence: "Open the link that was made for this.",
  });
  const app = new Hono();
  const listen = getRequestListener(app.fetch);
  const server = createServer((request, response) => void listen(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.add(server, async (open) => {
    open.closeAllConnections();
    await new Promise<void>((resolve) => void open.close(() => resolve()));
  });
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const operators = operatorApp({ ...parts, log: silentLog, door, origin, name: "test", canFollow: true });
  app.all("/api/*", (context) => operators.fetch(context.req.raw));
  app.route("/", consoleFiles(folder));
  return { origin, link: (person) => `${origin}/#token=${door.link(person)}` };
}
