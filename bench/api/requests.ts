import { Agent, request as httpRequest } from "node:http";
import * as z from "zod";
import { signedRequest } from "../../simulator/cloud/protocol/signed-request.ts";

export const Where = z.object({
  endpoint: z.url(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});
export type Api = z.infer<typeof Where>;

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Once and beforehand; a signature counts for fifteen minutes. */
export function signed(
  { endpoint, region, accessKeyId, secretAccessKey }: Api,
  service: string,
  method: string,
  path: string,
  body: Buffer | object | undefined,
  more: Readonly<Record<string, string>> = {},
): Request {
  const signer = { endpoint, region, credentials: { accessKeyId, secretAccessKey }, now: Date.now() };
  const { headers, body: bytes } = signedRequest({ service, method, path, headers: more, body }, signer);
  return {
    method,
    path,
    headers: { ...headers, "content-length": String(bytes.length) },
    body: Buffer.from(bytes),
  };
}

export async function send(api: Api, request: Request, mayRefuse = false): Promise<void> {
  const agent = new Agent({ keepAlive: false });
  const { status, text } = await exchange(api, request, agent);
  if (status >= 400 && !mayRefuse) throw new Error(`${request.method} ${request.path}: ${status} ${text}`);
}

/** All of them, over so many connections, each with one request at a time. Latencies in order. */
export async function sendAll(
  api: Api,
  requests: readonly Request[],
  connections: number,
): Promise<{ seconds: number; latenciesMs: number[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latenciesMs: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const sent = performance.now();
      const { status, text } = await exchange(api, request, agent);
      if (status >= 400) throw new Error(`${request.method} ${request.path}: ${status} ${text}`);
      latenciesMs.push(performance.now() - sent);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return { seconds, latenciesMs: latenciesMs.sort((one, other) => one - other) };
}

function exchange(
  { endpoint }: Api,
  { method, path, headers, body }: Request,
  agent: Agent,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: hostname, port, method, path, headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on("error", reject).end(body);
  });
}
