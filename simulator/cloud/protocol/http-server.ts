import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { CoalmineError } from "@coalmine/runtime";
import { readBody } from "./read-body.ts";
import { noAnswer, type HttpRequest, type HttpResponse } from "./http.ts";

/** No request is larger; each service has a smaller limit of its own. */
export const BODY_BYTES_MAX = 512 * 1024 * 1024;
/** Bodies being received at one time, all together. */
const BODIES_BYTES_MAX = 1024 * 1024 * 1024;
const HEADER_BYTES_MAX = 32 * 1024;

export class CannotListenError extends CoalmineError {
  readonly code = "ERR_CLOUD_CANNOT_LISTEN";
}

export interface ListenOptions {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without it only loopback addresses are taken: the simulated cloud is nobody else's business. */
  readonly allowRemote?: boolean;
}

export interface Listening {
  readonly endpoint: string;
  readonly port: number;
  close(): Promise<void>;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Serves whole requests. Node adds the `Date` header, from the wall clock, which SDKs correct their own by. */
export async function listen(
  handle: (request: HttpRequest) => Promise<HttpResponse>,
  options: ListenOptions,
): Promise<Listening> {
  const host = options.host ?? "127.0.0.1";
  if (!isLoopback(host) && options.allowRemote !== true)
    throw new CannotListenError(
      `cannot listen on ${host}: the simulated cloud serves loopback only; use 127.0.0.1, or say --allow-remote.`,
    );
  const received = { bytes: 0 };
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (incoming, outgoing) => {
    void serve(incoming, outgoing, handle, received);
  });
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.writeContinue();
    void serve(incoming, outgoing, handle, received);
  });
  const port = await bind(server, host, options.port);
  return {
    endpoint: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE"
          ? `port ${port} of ${host} is in use: stop what listens there, or give another --port (0 takes a free one).`
          : `${host}:${port}: ${error.message}.`;
      reject(new CannotListenError(`cannot listen: ${why}`, { cause: error }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handle: (request: HttpRequest) => Promise<HttpResponse>,
  received: { bytes: number },
): Promise<void> {
  const body = await bodyOf(incoming, received);
  if (body === undefined) {
    // The rest of the body is still on its way: say why, and end the connection.
    outgoing.writeHead(413, { connection: "close", "content-type": "text/plain" });
    outgoing.end(`The body is larger than ${BODY_BYTES_MAX} bytes, or too many arrive at once.\n`);
    return;
  }
  if (incoming.destroyed && !incoming.complete) return;
  const [rawPath = "/", ...query] = (incoming.url ?? "/").split("?");
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    if (values !== undefined) headers[name] = values.join(",");
  const response = await handle({
    method: incoming.method ?? "GET",
    rawPath,
    rawQuery: query.join("?"),
    headers,
    body,
  });
  if (response === noAnswer) {
    incoming.socket.destroy();
    return;
  }
  const bytes = typeof response.body === "string" ? Buffer.from(response.body, "utf8") : response.body;
  const bodyless = incoming.method === "HEAD" || response.status === 204 || response.status === 304;
  outgoing.writeHead(response.status, {
    ...(bodyless ? {} : { "content-length": bytes.length }),
    ...response.headers,
  });
  outgoing.end(bodyless ? undefined : bytes);
}

/** The body, within what one may be and what all that arrive at once may be. */
async function bodyOf(
  incoming: IncomingMessage,
  received: { bytes: number },
): Promise<Uint8Array | undefined> {
  let length = 0;
  try {
    return await readBody(incoming, (bytes) => {
      received.bytes += bytes - length;
      length = bytes;
      return bytes <= BODY_BYTES_MAX && received.bytes <= BODIES_BYTES_MAX;
    });
  } finally {
    received.bytes -= length;
  }
}
