import { request } from "node:http";
import { request as secureRequest } from "node:https";
import { connect, rootCertificates } from "node:tls";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { Portal, PortalApi } from "./probes.ts";
import { directWay, type ProbeMeans } from "./way.ts";

const HTTP = 80;
const HTTPS = 443;
const ANSWER_BYTES_MAX = 64 * 1024;

/** @see RFC 8908, 5 */
const Captive = z.object({ captive: z.boolean(), "user-portal-url": z.string().optional() });

/** A portal answers in everybody's place, so that its answer lacks what the host's own always has. */
export async function portal(host: string, proof: string, means: ProbeMeans): Promise<Portal> {
  const way = await directWay(host, HTTP, means);
  if (way.kind !== "way") return way;
  const { clock, waitMs } = means;
  return new Promise((resolve) => {
    const end = (found: Portal) => {
      late.cancel();
      way.socket.destroy();
      resolve(found);
    };
    const late = clock.timer(waitMs, () =>
      end({ kind: "broken", why: `no answer within ${waitMs / 1000} s` }),
    );
    const asked = request({ createConnection: () => way.socket, path: "/", headers: { host } });
    asked.on("response", ({ statusCode: status = 0, headers }) =>
      end(
        headers[proof] === undefined
          ? { kind: "captive-portal", status, page: headers.location }
          : { kind: "none" },
      ),
    );
    asked.on("error", (failure) => end({ kind: "broken", why: messageOf(failure) }));
    asked.end();
  });
}

/** `trust`: beside the roots that browsers know. */
export async function portalApi(
  url: string,
  trust: readonly string[],
  means: ProbeMeans,
): Promise<PortalApi> {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "https:") return { kind: "no-answer", why: `${url} is no https address` };
  const way = await directWay(parsed.hostname, Number(parsed.port || HTTPS), means);
  if (way.kind !== "way") return { kind: "no-answer", why: way.kind };
  const { clock, waitMs } = means;
  return new Promise((resolve) => {
    const end = (found: PortalApi) => {
      late.cancel();
      way.socket.destroy();
      resolve(found);
    };
    const broken = (why: string) => end({ kind: "no-answer", why });
    const late = clock.timer(waitMs, () => broken(`no answer within ${waitMs / 1000} s`));
    const asked = secureRequest(parsed, {
      createConnection: () =>
        connect({
          socket: way.socket,
          servername: parsed.hostname,
          ca: [...rootCertificates, ...trust],
        }),
      headers: { accept: "application/captive+json" },
    });
    asked.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        if (text.length > ANSWER_BYTES_MAX) broken("the answer is too long");
      });
      response.on("end", () => {
        const told = Captive.safeParse(jsonOf(text));
        if (!told.success) broken("the answer is not that of a portal's interface");
        else if (told.data.captive) end({ kind: "captive-portal", page: told.data["user-portal-url"] });
        else end({ kind: "free" });
      });
    });
    asked.on("error", (failure) => broken(messageOf(failure)));
    asked.end();
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
