import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock, Random } from "@coalmine/ports";
import { Closing } from "@coalmine/runtime";
import type { Network } from "@coalmine/site";
import type { Wire } from "@coalmine/site/wire";
import { CertificateAuthority } from "../cloud/identity/certificate-authority.ts";
import { addressBook, PORTAL_HOST } from "./addresses.ts";
import { serveNames } from "./name-server.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import type { SitePlan } from "./site-plan.ts";
import { LOOPBACK, SiteWire } from "./site-wire.ts";
import { serveTime } from "./time-server.ts";
import { serveTls } from "./tls-end.ts";
import { serveOutside, servePortal, servePortalApi, serveProxy } from "./web-ends.ts";

export interface SimulatedSite {
  readonly network: Network;
  readonly wire: Wire;
  /** What the device believes the time to be. */
  readonly deviceClock: Clock;
  readonly clockBattery: () => SitePlan["deviceClockBattery"];
  /** The certificate of the authority that the world outside is signed by. */
  readonly trust: string;
  /** Where programs of this machine find the building's proxy; the wire leads there as well. */
  readonly proxyAt: { readonly host: string; readonly port: number };
  /** Each `host:port` that the proxy led somebody to. */
  readonly proxied: ReadonlySet<string>;
  /** Somebody in the building changes something. */
  change(changes: Partial<SitePlan>): void;
  close(): Promise<void>;
}

/** A building: its links on `clock`, and what stands behind them as real sockets on loopback. */
export async function startSite(
  begin: SitePlan,
  { clock, wallClock, random }: { readonly clock: Clock; readonly wallClock: Clock; readonly random: Random },
): Promise<SimulatedSite> {
  let plan = begin;
  const now = () => plan;
  const authority = (name: string) => CertificateAuthority.open({ name, random, wallClock });
  const outside = await authority("Amazon Root CA, simulated");
  const closing = new Closing();
  const tcp = (server: Server): number => {
    // Tunnels and what a client keeps open would hold up the end.
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => sockets.add(socket));
    closing.add(server, async () => {
      for (const socket of sockets) socket.destroy();
      await closed(server);
    });
    return portOf(server);
  };
  const udp = (socket: DatagramSocket): number => closing.add(socket, closed).address().port;

  const network = new SimulatedNetwork(now, clock);
  const proxied = new Set<string>();
  const book = () => addressBook(plan.hosts);
  const ends = {
    names: udp(await serveNames((name) => book().get(name))),
    time: udp(await serveTime(wallClock, now)),
    mute: udp(await mute()),
    nobody: await freePort(),
    outsideTls: tcp(await serveTls(outside, false)),
    outsideHttp: tcp(await serveOutside()),
    inspector: tcp(await serveTls(await authority(plan.inspection?.authority ?? "Inspector"), true)),
    portal: tcp(await servePortal()),
    portalTls: tcp(await serveTls(await authority(PORTAL_HOST), false)),
    portalApi: tcp(await servePortalApi(outside, now)),
    proxy: tcp(await serveProxy(now, (host, port) => wire.doorOf(host, port), proxied)),
  };
  const wire: SiteWire = new SiteWire(
    now,
    ends,
    () => network.lease(),
    (address) => [...book()].find(([, at]) => at === address)?.[0],
  );
  return {
    network,
    wire,
    trust: outside.certificatePem,
    proxyAt: { host: LOOPBACK, port: ends.proxy },
    proxied,
    deviceClock: { ...wallClock, now: () => wallClock.now() + plan.deviceClockAheadMs },
    clockBattery: () => plan.deviceClockBattery,
    change(changes) {
      plan = { ...plan, ...changes };
    },
    close: () => closing.close(),
  };
}

async function mute(): Promise<DatagramSocket> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** One that was free a moment ago: the system gives it to nobody else soon. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  await closed(server);
  return port;
}

function portOf(server: Server): number {
  const at = server.address();
  return at === null || typeof at === "string" ? 0 : at.port;
}

async function closed(end: Server | DatagramSocket): Promise<void> {
  const ended = once(end, "close");
  end.close();
  await ended;
}
