import { request } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { NoWay, Proxy } from "./probes.ts";
import { resolveName } from "./resolve.ts";
import type { Wire } from "./wire.ts";

export interface ProbeMeans {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly proxy: Proxy | undefined;
  /** How long silence is listened to. */
  readonly waitMs: number;
}

/** A connected socket that its receiver destroys, or why there is none. */
export type Way = { readonly kind: "way"; readonly socket: Socket } | NoWay;

/** To a host's port, by the proxy where there is one. */
export async function wayTo(host: string, port: number, means: ProbeMeans): Promise<Way> {
  const { proxy } = means;
  if (proxy === undefined || isExempt(host, proxy)) return directWay(host, port, means);
  const toProxy = await directWay(proxy.host, proxy.port, means);
  const name = `${proxy.host}:${proxy.port}`;
  return toProxy.kind === "way"
    ? through(toProxy.socket, `${host}:${port}`, proxy, means)
    : { kind: "proxy-unreachable", proxy: name, why: toProxy };
}

/** Names are the same in either case (RFC 4343). */
export function isExempt(host: string, { exceptions = [] }: Proxy): boolean {
  return exceptions.some((one) => one.toLowerCase() === host.toLowerCase());
}

export async function directWay(host: string, port: number, means: ProbeMeans): Promise<Way> {
  const { wire, clock, waitMs } = means;
  const resolved = await resolveName(host, wire, waitMs);
  if (resolved.kind !== "resolved") return resolved;
  const [address = ""] = resolved.addresses;
  return new Promise((resolve) => {
    const socket = wire.tcp(address, port);
    const late = clock.timer(waitMs, () => {
      socket.destroy();
      resolve({ kind: "silent", address, port, waitedMs: waitMs });
    });
    socket.once("connect", () => {
      late.cancel();
      resolve({ kind: "way", socket });
    });
    // Stays: a socket that breaks later must not end the process.
    socket.on("error", (failure) => {
      late.cancel();
      resolve(noWay(failure, address, port, waitMs));
    });
  });
}

/** @see RFC 9110, 9.3.6 */
function through(socket: Socket, target: string, proxy: Proxy, { clock, waitMs }: ProbeMeans): Promise<Way> {
  const { account } = proxy;
  const name = `${proxy.host}:${proxy.port}`;
  return new Promise((resolve) => {
    const failed = (why: NoWay) => {
      late.cancel();
      socket.destroy();
      resolve(why);
    };
    const late = clock.timer(waitMs, () =>
      failed({
        kind: "proxy-unreachable",
        proxy: name,
        why: { kind: "silent", address: proxy.host, port: proxy.port, waitedMs: waitMs },
      }),
    );
    const asked = request({
      method: "CONNECT",
      path: target,
      createConnection: () => socket,
      headers: {
        host: target,
        ...(account === undefined
          ? {}
          : { "proxy-authorization": `Basic ${basic(account.user, account.password.reveal())}` }),
      },
    });
    asked.on("connect", ({ statusCode: status = 0 }) => {
      if (status < 200 || status > 299) return failed({ kind: "proxy-refuses", proxy: name, status });
      late.cancel();
      return resolve({ kind: "way", socket });
    });
    asked.on("error", (failure) => failed({ kind: "broken", why: messageOf(failure) }));
    asked.end();
  });
}

function basic(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString("base64");
}

function noWay(failure: Error, address: string, port: number, waitedMs: number): NoWay {
  const code = "code" in failure ? String(failure.code) : "";
  switch (code) {
    case "ECONNREFUSED":
      return { kind: "refused", address, port };
    case "ETIMEDOUT":
      return { kind: "silent", address, port, waitedMs };
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "ENETDOWN":
    case "EADDRNOTAVAIL":
      return { kind: "no-route", address };
    default:
      return { kind: "broken", why: messageOf(failure) };
  }
}
