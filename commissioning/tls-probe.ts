import type { Clock } from "@coalmine/ports";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { messageOf } from "@coalmine/runtime";
import type { Handshaken, Proxy } from "@coalmine/site";
import { nodeProbes } from "@coalmine/site/node-probes";
import { wayTo } from "@coalmine/site/way";
import { machineWire } from "@coalmine/site/wire";
import { hostSaid } from "./network/sentences.ts";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";
import { en } from "./texts/en.ts";

/** Three attempts of TCP, which come after 1, 3 and 7 s. */
const CONNECT_MS = 8000;

export interface TlsDoor {
  readonly host: string;
  readonly port: number;
  /** What some servers want before they say anything. */
  readonly certificatePem?: string | undefined;
  readonly privateKeyPem?: string | undefined;
  readonly rootCaPem: string;
  readonly alpn?: string | undefined;
}

/** Shakes hands once and hangs up, to say in a sentence what does not work: network, clock, authority. */
export async function probeTls(door: TlsDoor, clock: Clock, proxy: Proxy | undefined): Promise<void> {
  const { host, port, alpn, certificatePem, privateKeyPem, rootCaPem } = door;
  const identity =
    certificatePem === undefined || privateKeyPem === undefined
      ? undefined
      : { certificate: certificatePem, privateKey: privateKeyPem };
  const probes = nodeProbes({ clock, wire: machineWire, proxy });
  const result = await probes.handshake({ host, port, alpn, trust: rootCaPem, identity });
  if (result.kind !== "trusted") throw refusalOf(door, result);
}

/** What a request of `node:https` connects by: TLS in a tunnel of the proxy, or nothing of its own where there is none. */
export async function tunnelBy(
  proxy: Proxy | undefined,
  { host, port, rootCaPem: ca, certificatePem: cert, privateKeyPem: key }: TlsDoor,
  clock: Clock,
): Promise<{ readonly createConnection?: () => TLSSocket }> {
  if (proxy === undefined) return {};
  const way = await wayTo(host, port, { clock, proxy, wire: machineWire, waitMs: CONNECT_MS });
  if (way.kind !== "way") throw refusalOf({ host, port }, way);
  const { socket } = way;
  // An address is no server name (RFC 6066, 3); it is compared with the certificate all the same.
  const servername = isIP(host) === 0 ? host : "";
  return { createConnection: () => connect({ socket, host, servername, ca, cert, key }) };
}

function refusalOf(
  { host, port }: Pick<TlsDoor, "host" | "port">,
  result: Exclude<Handshaken, { kind: "trusted" }>,
): CommissioningRefused {
  const { what, todo = "" } = hostSaid(result, en.network);
  return new CommissioningRefused(
    reasons[result.kind] ?? "unreachable",
    `${host}:${port}: ${what.replace(/\.$/, "")}; ${todo}`,
  );
}

/** What a failed request is refused with: why TLS fails is told by a look at the door alone. */
export async function refusedBy(
  door: TlsDoor,
  failure: unknown,
  clock: Clock,
  proxy: Proxy | undefined,
): Promise<never> {
  if (failure instanceof CommissioningRefused) throw failure;
  await probeTls(door, clock, proxy);
  throw new CommissioningRefused(
    "unreachable",
    `${door.host}:${door.port} breaks off (${messageOf(failure)}); run this again, and ask whether something on the way ends HTTPS`,
    { cause: failure },
  );
}

const reasons: Readonly<Partial<Record<Handshaken["kind"], RefusalReason>>> = {
  "not-yet-valid": "clock-off",
  expired: "clock-off",
  intercepted: "wrong-authority",
  "wrong-name": "wrong-authority",
};
