import type { Clock } from "@coalmine/ports";
import { handshake } from "./handshake.ts";
import { networkTime } from "./network-time.ts";
import { portal, portalApi } from "./portal.ts";
import type { GatewayAnswer, Opened, Probes, Proxy } from "./probes.ts";
import { resolveName } from "./resolve.ts";
import { directWay, type ProbeMeans, wayTo } from "./way.ts";
import type { Wire } from "./wire.ts";

/** Three attempts of TCP, which come after 1, 3 and 7 s. */
const WAIT_MS = 8000;
/** Nobody needs to listen there: that somebody refuses is an answer too. */
const ANY_PORT = 53;

/** Probes with Node's own sockets. */
export function nodeProbes(options: {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly proxy?: Proxy | undefined;
  readonly waitMs?: number;
  /** Certificates of portals' interfaces are believed when signed by these too. */
  readonly portalTrust?: readonly string[];
}): Probes {
  const { clock, wire, proxy, waitMs = WAIT_MS, portalTrust = [] } = options;
  const means: ProbeMeans = { clock, wire, proxy, waitMs };
  return {
    resolve: (name) => resolveName(name, wire, waitMs),
    open: (host, port) => opened(host, port, means),
    handshake: (door) => handshake(door, means),
    portal: (host, proof) => portal(host, proof, means),
    portalApi: (url) => portalApi(url, portalTrust, means),
    time: (server) => networkTime(server, means),
    gateway: (address) => gateway(address, means),
  };
}

async function opened(host: string, port: number, means: ProbeMeans): Promise<Opened> {
  const began = means.clock.monotonicMs();
  const way = await wayTo(host, port, means);
  if (way.kind !== "way") return way;
  way.socket.destroy();
  return { kind: "open", tookMs: means.clock.monotonicMs() - began };
}

/** A gateway that drops what it does not like is there: of one that is not, the system itself says so within seconds. */
async function gateway(address: string, means: ProbeMeans): Promise<GatewayAnswer> {
  const way = await directWay(address, ANY_PORT, means);
  if (way.kind === "way") way.socket.destroy();
  return way.kind === "no-route" ? { kind: "absent", address } : { kind: "there" };
}
