import { connect, Socket } from "node:net";
import type { Lease } from "@coalmine/site";
import type { Wire } from "@coalmine/site/wire";
import { GATEWAY, NAME_SERVER, PORTAL_HOST, PROXY_HOST, PROXY_PORT } from "./addresses.ts";
import type { SitePlan } from "./site-plan.ts";

/** Ports of loopback, by who listens there. */
export interface Ends {
  readonly names: number;
  readonly time: number;
  readonly outsideTls: number;
  readonly outsideHttp: number;
  readonly inspector: number;
  readonly portal: number;
  readonly portalTls: number;
  readonly portalApi: number;
  readonly proxy: number;
  /** Nobody listens: the system refuses. */
  readonly nobody: number;
  /** Bound, and mute. */
  readonly mute: number;
}

const HTTP = 80;
export const LOOPBACK = "127.0.0.1";
type Door = { readonly kind: "port"; readonly port: number } | { readonly kind: "nothing" | "no-route" };
const silence: Door = { kind: "nothing" };

/** Leads what the device sends to whoever answers for it on loopback; what nobody answers has no other end. */
export class SiteWire implements Wire {
  readonly #plan: () => SitePlan;
  readonly #ends: Ends;
  readonly #lease: () => Lease | undefined;
  readonly #hostAt: (address: string) => string | undefined;

  constructor(
    plan: () => SitePlan,
    ends: Ends,
    lease: () => Lease | undefined,
    hostAt: (address: string) => string | undefined,
  ) {
    this.#plan = plan;
    this.#ends = ends;
    this.#lease = lease;
    this.#hostAt = hostAt;
  }

  async known(): Promise<readonly string[]> {
    return [];
  }

  dnsServers(): readonly string[] {
    const { names, mute } = this.#ends;
    return (this.#lease()?.dns ?? []).map(
      (server) => `${LOOPBACK}:${server === NAME_SERVER && this.#plan().dns ? names : mute}`,
    );
  }

  tcp(address: string, port: number): Socket {
    const door = this.#doorFrom(address, port);
    if (door.kind === "port") return connect({ host: LOOPBACK, port: door.port });
    const socket = new Socket();
    if (door.kind === "no-route")
      setImmediate(() =>
        socket.destroy(
          Object.assign(new Error(`connect EHOSTUNREACH ${address}:${port}`), { code: "EHOSTUNREACH" }),
        ),
      );
    return socket;
  }

  /** Whatever a rule does to a datagram, who sent it hears nothing. */
  udp(address: string, port: number) {
    const isOut = this.#lease() !== undefined && !this.#plan().captivePortal;
    const leads = isOut && this.#ruleFor(this.#hostAt(address), port) === undefined;
    return { address: LOOPBACK, port: leads ? this.#ends.time : this.#ends.mute };
  }

  /** What stands outside, past the firewall, as it looks from in here: the proxy uses it too. */
  doorOf(host: string, port: number): number | undefined {
    const { doors, hosts, inspection } = this.#plan();
    const { outsideTls, outsideHttp, inspector } = this.#ends;
    if (!hosts.includes(host)) return undefined;
    if (port === HTTP) return outsideHttp;
    if (inspection !== undefined && !inspection.passes.includes(host)) return inspector;
    return doors[`${host}:${port}`] ?? outsideTls;
  }

  #ruleFor(host: string | undefined, port: number) {
    return this.#plan().firewall.find((one) => one.port === port && (one.host ?? host) === host);
  }

  #doorFrom(address: string, port: number): Door {
    const { captivePortal, proxy } = this.#plan();
    const ends = this.#ends;
    const lease = this.#lease();
    if (lease === undefined || lease.gateway === undefined) return { kind: "no-route" };
    if (address === GATEWAY) return { kind: "port", port: ends.nobody };
    const host = address === LOOPBACK && port === ends.proxy ? PROXY_HOST : this.#hostAt(address);
    // A gateway that is not the building's leads nowhere.
    if (host === undefined || lease.gateway !== GATEWAY) return { kind: "no-route" };
    if (host === PROXY_HOST)
      return proxy !== undefined && [PROXY_PORT, ends.proxy].includes(port)
        ? { kind: "port", port: ends.proxy }
        : silence;
    if (host === PORTAL_HOST) return { kind: "port", port: ends.portalApi };
    if (captivePortal) {
      if (port === HTTP) return { kind: "port", port: ends.portal };
      return port === 443 ? { kind: "port", port: ends.portalTls } : silence;
    }
    if (proxy?.isOnlyWay === true) return silence;
    const rule = this.#ruleFor(host, port);
    if (rule !== undefined) return rule.does === "drop" ? silence : { kind: "port", port: ends.nobody };
    const door = this.doorOf(host, port);
    return door === undefined ? silence : { kind: "port", port: door };
  }
}
