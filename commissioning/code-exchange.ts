import { request } from "node:https";
import type { ClaimCode } from "@coalmine/contract/claim-code";
import type { Sha256 } from "@coalmine/contract";
import { claimPaths, CodeRefusal, ExchangeAnswer, WhyAnswer } from "@coalmine/contract/commissioning";
import type { Clock } from "@coalmine/ports";
import type { Proxy } from "@coalmine/site";
import type * as z from "zod";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";
import type { FindProxy } from "./proxy-file.ts";
import { refusedBy, tunnelBy, type TlsDoor } from "./tls-probe.ts";
import { parsedJson } from "./parsed-json.ts";

const HTTPS_PORT = 443;
const ANSWER_MS = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024;

/** The operator's side of commissioning, where a code is shown. */
export interface CodeExchange {
  /** Rejects with a `CommissioningRefused` that says why the code is not taken. */
  exchange(shown: ShownCode): Promise<ExchangeAnswer>;
  /** What the allow-list said, which AWS IoT keeps from the device. */
  why(shown: ShownCode): Promise<WhyAnswer>;
}

export interface ShownCode {
  readonly code: ClaimCode;
  /** Fingerprint of the device's own public key. */
  readonly key: Sha256;
}

const reasons: Readonly<Record<CodeRefusal["reason"], RefusalReason>> = {
  malformed: "code-wrong",
  wrong: "code-wrong",
  expired: "claim-expired",
  used: "code-used",
  "too-many": "too-many-codes",
};

/** The real end, over HTTPS, with no other authority than the device's own root CA. */
export function httpsCodeExchange(
  endpoint: string,
  rootCa: () => Promise<string>,
  clock: Clock,
  findProxy: FindProxy,
): CodeExchange {
  const ask = async <Shape extends z.ZodType>(
    path: string,
    shown: ShownCode,
    shape: Shape,
  ): Promise<z.infer<Shape>> => {
    const url = new URL(path, endpoint);
    const rootCaPem = await rootCa();
    const door = { host: url.hostname, port: Number(url.port === "" ? HTTPS_PORT : url.port), rootCaPem };
    const proxy = await findProxy();
    const { status, body } = await post(url, shown, door, clock, proxy).catch((failure: unknown) =>
      refusedBy(door, failure, clock, proxy),
    );
    const refusal = CodeRefusal.safeParse(body);
    if (status >= 400 && status < 500 && refusal.success)
      throw new CommissioningRefused(reasons[refusal.data.reason], refusal.data.message);
    const answer = shape.safeParse(body);
    if (status === 200 && answer.success) return answer.data;
    throw new CommissioningRefused(
      "unreachable",
      `${endpoint} answers ${status} and nothing that can be used; check the address, and run this again in some minutes`,
    );
  };
  return {
    exchange: (shown) => ask(claimPaths.exchange, shown, ExchangeAnswer),
    why: (shown) => ask(claimPaths.why, shown, WhyAnswer),
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
