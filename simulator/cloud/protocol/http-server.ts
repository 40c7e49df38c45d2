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
  const headers = headersOf(incoming.rawHeaders);
  const body = await bodyOf(incoming, headers, received);
  if (body === undefined) {
    // The rest of the body is still on its way: say why, and end the connection.
    outgoing.writeHead(413, { connection: "close", "content-type": "text/plain" });
    outgoing.end(`The body is larger than ${BODY_BYTES_MAX} bytes, or too many arrive at once.\n`);
    return;
  }
  if (incoming.destroyed && !incoming.complete) return;
  const method = incoming.method ?? "GET";
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  const response = await handle({
    method,
    rawPath: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? "" : url.slice(mark + 1),
    headers,
    body,
  });
  if (response === noAnswer) incoming.socket.destroy();
  else answer(outgoing, method, response);
}

/** Names in lower case; what is said more than once, in one line. Node's own view of them costs more than the rest. */
function headersOf(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    const value = raw[at + 1] ?? "";
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name] ?? ""},${value}` : value;
  }
  return headers;
}

function answer(outgoing: ServerResponse, method: string, { status, headers, body }: HttpResponse): void {
  const bodyless = method === "HEAD" || status === 204 || status === 304;
  const length = bodyless ? {} : { "content-length": Buffer.byteLength(body) };
  outgoing.writeHead(status, { ...length, ...headers });
  // Text is handed on as it is: Node sends it in one piece with the head.
  outgoing.end(bodyless ? undefined : body);
}

/** The body, within what one may be and what all that arrive at once may be. */
async function bodyOf(
  incoming: IncomingMessage,
  headers: Readonly<Record<string, string>>,
  received: { bytes: number },
): Promise<Uint8Array | undefined> {
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return nothing;
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

const nothing = new Uint8Array();
