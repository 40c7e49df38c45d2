import { createServer } from "node:https";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { AuthorizedClaims } from "./jwt-authorizer.ts";
import type { KeysAndCertificate } from "../identity/certificate-authority.ts";

/** Ours; AWS takes 10 MB. @see https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const BODY_BYTES_MAX = 1024 * 1024;
/** What an HTTP API waits for its integration. */
const ANSWER_MS_MAX = 30_000;
const CONNECTIONS_MAX = 500;

const Answer = z.object({
  statusCode: z.int().min(200).max(599),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().default(""),
});

export interface HttpApiOptions {
  readonly server: KeysAndCertificate;
  /** 0 takes a free one. */
  readonly port: number;
  /** The one integration: a function in place of AWS Lambda. */
  readonly call: (event: object) => Promise<unknown>;
  /** Of all requests: what the token of one claims, or undefined where it does not count. Without it all are let in. */
  readonly authorize?: (authorization: string | undefined) => AuthorizedClaims | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface HttpApi {
  readonly endpoint: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * An HTTP API of API Gateway as far as one function behind `$default` needs it: HTTPS on loopback, payload format 2.0.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export async function openHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const { server: keys, log } = options;
  const server = createServer(
    {
      cert: keys.certificatePem,
      key: keys.privateKeyPem,
      minVersion: "TLSv1.2",
      requestTimeout: ANSWER_MS_MAX,
    },
    (request, response) => {
      // The promise ends here: whatever fails is answered as API Gateway answers it.
      void answerOf(request, options)
        .catch((failure: unknown) => {
          log.error("A function behind the HTTP API failed.", { failure: messageOf(failure) });
          return { statusCode: 500, headers: {}, body: '{"message":"Internal Server Error"}' };
        })
        .then(({ statusCode, headers, body }) => {
          response.writeHead(statusCode, { "content-type": "application/json", ...headers });
          response.end(body);
        });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `https://localhost:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answerOf(
  request: IncomingMessage,
  { call, clock, authorize }: HttpApiOptions,
): Promise<z.infer<typeof Answer>> {
  const body = await bodyOf(request);
  if (body === undefined)
    return { statusCode: 413, headers: {}, body: '{"message":"Request Entity Too Large"}' };
  const [rawPath = "/", ...query] = (request.url ?? "/").split("?");
  const method = request.method ?? "GET";
  const headers: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(request.headersDistinct)) headers[name] = values.join(",");
  const claims = authorize?.(headers["authorization"]);
  if (authorize !== undefined && claims === undefined)
    return { statusCode: 401, headers: {}, body: '{"message":"Unauthorized"}' };
  const late = new AbortController();
  const answer = await Promise.race([
    call({
      version: "2.0",
      routeKey: "$default",
      rawPath,
      rawQueryString: query.join("?"),
      headers,
      requestContext: {
        http: { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: request.socket.remoteAddress ?? "" },
        timeEpoch: clock.now(),
        ...(claims === undefined ? {} : { authorizer: { jwt: { claims, scopes: null } } }),
      },
      body: body.toString("utf8"),
      isBase64Encoded: false,
    }),
    clock.sleep(ANSWER_MS_MAX, late.signal).catch(() => undefined),
  ]);
  late.abort();
  if (answer === undefined)
    return { statusCode: 503, headers: {}, body: '{"message":"Service Unavailable"}' };
  return Answer.parse(answer);
}

/** Undefined where it is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
