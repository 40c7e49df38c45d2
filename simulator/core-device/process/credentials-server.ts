import { createServer } from "node:http";
import type { CredentialsDoor } from "../core-device.ts";
import { CREDENTIALS_PATH } from "../credentials/credentials-endpoint.ts";

/** A caller that waits longer for a fetch that is under way is told so. */
const PATIENCE_MS = 30_000;

/** The credentials endpoint on the machine's own loopback, at a port of the system's choice. */
export const credentialsServer: CredentialsDoor = {
  async open(answer) {
    const server = createServer((request, response) => {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      const late = new Promise<{ status: number; body: string }>((resolve) =>
        patience.addEventListener("abort", () => resolve({ status: 504, body: "Gateway Timeout" }), {
          once: true,
        }),
      );
      const asked = answer({
        method: request.method ?? "GET",
        path: request.url ?? "/",
        authorization: request.headers.authorization,
      });
      void Promise.race([asked, late]).then(({ status, body }) => {
        response.writeHead(status, { "Content-Type": status === 200 ? "application/json" : "text/plain" });
        response.end(body);
      });
    });
    await new Promise<void>((listening, failed) => {
      server.once("error", failed);
      server.listen(0, "127.0.0.1", () => listening());
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return {
      // Components are told `localhost`; the SDKs refuse plain HTTP to other names.
      uri: `http://localhost:${port}${CREDENTIALS_PATH}`,
      close: () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        }),
    };
  },
};
