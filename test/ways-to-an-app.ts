import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { handle, LambdaEvent } from "hono/aws-lambda";
import * as z from "zod";

/** Two ways to an app: over HTTP on this machine, and as API Gateway calls a function. */

const Answered = z.object({
  statusCode: z.number(),
  body: z.string(),
  headers: z.record(z.string(), z.string()),
  isBase64Encoded: z.boolean(),
  cookies: z.array(z.string()).optional(),
});

/** What `fetch` is to a server, with a gateway of payload format 2.0 between. */
export function throughGateway(
  handler: ReturnType<typeof handle>,
): (path: string, init?: RequestInit) => Promise<Response> {
  return async (path, init) => {
    const event = await gatewayEvent(new Request(`https://api.example${path}`, init));
    const answered = Answered.parse(await handler(event));
    const { statusCode, body, headers, isBase64Encoded, cookies } = answered;
    const answer = new Response(isBase64Encoded ? Buffer.from(body, "base64") : body, {
      status: statusCode,
      headers,
    });
    for (const cookie of cookies ?? []) answer.headers.append("set-cookie", cookie);
    return answer;
  };
}

/** A request as an HTTP API hands it to a function, payload format 2.0. */
async function gatewayEvent(request: Request): Promise<LambdaEvent> {
  const url = new URL(request.url);
  const { cookie, ...rest } = Object.fromEntries(request.headers);
  const body = await request.text();
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    cookies: cookie === undefined ? [] : cookie.split("; "),
    headers: { host: url.host, ...rest },
    queryStringParameters: Object.fromEntries(url.searchParams),
    requestContext: {
      accountId: "123456789012",
      apiId: "a",
      domainName: url.host,
      domainPrefix: "api",
      http: {
        method: request.method,
        path: url.pathname,
        protocol: "HTTP/1.1",
        sourceIp: "192.0.2.1",
        userAgent: "",
      },
      requestId: "r",
      routeKey: "$default",
      stage: "$default",
      time: "",
      timeEpoch: 0,
    },
    ...(body === "" ? {} : { body }),
    isBase64Encoded: false,
  } as unknown as LambdaEvent;
}

export async function listening(served: Hono): Promise<Server> {
  const listen = getRequestListener(served.fetch);
  const server = createServer((request, response) => void listen(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
