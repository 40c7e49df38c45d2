import { Agent, request } from "node:https";
import { dataPlaneCalls, type Exchange } from "../cloud/data-plane-calls.ts";
import { DataPlaneError, type DataPlane } from "../ports.ts";

/** No call takes longer; what does is tried again by whoever asked. */
const TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

interface DataPlaneOptions {
  readonly thingName: string;
  /** `host:port`. */
  readonly dataPlane: string;
  readonly credentials: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly rootCa: string;
  /** Fetches what a URL stands for. */
  readonly download: (url: string) => Promise<Uint8Array>;
}

/** The device's HTTP calls, by its certificate. Give it back with `close`. */
export function httpsDataPlane(options: DataPlaneOptions): DataPlane & { close(): void } {
  const { certificate: cert, privateKey: key, rootCa: ca, thingName, download } = options;
  const agent = new Agent({ cert, key, ca, keepAlive: true, maxSockets: 4 });
  const exchange = ({ door, method, path, body }: Exchange): Promise<{ status: number; text: string }> =>
    send(agent, `https://${options[door]}${path}`, method, body, { "x-amzn-iot-thingname": thingName });
  return { ...dataPlaneCalls({ thingName, exchange, download }), close: () => agent.destroy() };
}

function send(
  agent: Agent,
  url: string,
  method: string,
  body: string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const offline = (failure: Error): void =>
      reject(new DataPlaneError(0, `${method} ${url}: ${failure.message}`));
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const asking = request(
      url,
      { agent, method, timeout: TIMEOUT_MS, headers: { ...headers, ...type } },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.byteLength;
          if (bytes > ANSWER_BYTES_MAX) asking.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", offline);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    asking.on("timeout", () => asking.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    asking.on("error", offline);
    asking.end(body);
  });
}
