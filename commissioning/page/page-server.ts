import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";

export interface PageServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the page at an address of this device; port 0 takes any. */
export async function servePage(
  app: Hono,
  at: { readonly address: string; readonly port: number },
): Promise<PageServer> {
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.address, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a page has an address and a port");
  return {
    address: bound.address,
    port: bound.port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((failure) => (failure === undefined ? resolve() : reject(failure)));
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}
