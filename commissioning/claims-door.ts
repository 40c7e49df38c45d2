import { request } from "node:https";
import type { Clock } from "@coalmine/ports";
import type { Proxy } from "@coalmine/site";
import type * as z from "zod";
import { parsedJson } from "./parsed-json.ts";
import type { FindProxy } from "./proxy-file.ts";
import { CommissioningRefused } from "./refusal.ts";
import { refusedBy, tunnelBy, type TlsDoor } from "./tls-probe.ts";

const HTTPS_PORT = 443;
const ANSWER_MS = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024;

type Ask = <Shape extends z.ZodType>(
  path: string,
  body: object,
  shape: Shape,
  /** Throws where it knows why nothing was answered. */
  refuse?: (body: unknown) => void,
) => Promise<z.infer<Shape>>;

/** The operator's side of commissioning: HTTPS, with no other authority than the device's own root CA. */
export function claimsDoor(
  endpoint: string,
  rootCa: () => Promise<string>,
  clock: Clock,
  findProxy: FindProxy,
): Ask {
  return async (path, sent, shape, refuse) => {
    const url = new URL(path, endpoint);
    const rootCaPem = await rootCa();
    const door = { host: url.hostname, port: Number(url.port === "" ? HTTPS_PORT : url.port), rootCaPem };
    const proxy = await findProxy();
    const { status, body } = await post(url, sent, door, clock, proxy).catch((failure: unknown) =>
      refusedBy(door, failure, clock, proxy),
    );
    if (status >= 400 && status < 500) refuse?.(body);
    const answer = shape.safeParse(body);
    if (status === 200 && answer.success) return answer.data;
    throw new CommissioningRefused(
      "unreachable",
      `${endpoint} answers ${status} and nothing that can be used; check the address, and run this again in some minutes`,
    );
  };
}

async function post(
  url: URL,
  body: object,
  door: TlsDoor,
  clock: Clock,
  proxy: Proxy | undefined,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const by = await tunnelBy(proxy, door, clock);
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: "POST",
      ca: door.rootCaPem,
      agent: false,
      ...by,
      headers: { "content-type": "application/json" },
    });
    const late = clock.timer(ANSWER_MS, () =>
      asked.destroy(
        new CommissioningRefused(
          "unreachable",
          `${url.host} does not answer within ${ANSWER_MS / 1000} s; open it in the firewall, and run this again`,
        ),
      ),
    );
    asked.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX) asked.destroy(new Error("the answer is too large"));
      });
      response.on("end", () => {
        late.cancel();
        resolve({ status: response.statusCode ?? 0, body: parsedJson(text) });
      });
      response.on("error", (failure) => asked.destroy(failure));
    });
    asked.on("error", (failure) => {
      late.cancel();
      reject(failure);
    });
    asked.end(JSON.stringify(body));
  });
}
