import type {
  AdapterState,
  GatewayAnswer,
  Handshaken,
  Lease,
  Network,
  Portal,
  PortalApi,
  Probes,
  Proxy,
  Resolved,
  TimeAnswer,
} from "@coalmine/site";
import type { Need } from "./network-list.ts";

/** What was looked at, and what was seen there; the sentences about it are made elsewhere, in the technician's language. */
export type NetworkCheck =
  | { readonly check: "link"; readonly adapter: string; readonly result: AdapterState }
  | {
      readonly check: "gateway";
      readonly result: GatewayAnswer | { readonly kind: "none" };
    }
  | { readonly check: "portal"; readonly result: Portal | PortalApi }
  | { readonly check: "name"; readonly name: string; readonly result: Resolved }
  | { readonly check: "time"; readonly server: string; readonly result: TimeAnswer }
  | { readonly check: "host"; readonly need: Need; readonly result: Handshaken };

export interface CheckOptions {
  readonly network: Pick<Network, "state">;
  readonly probes: Probes;
  readonly adapter: string;
  readonly list: readonly Need[];
  readonly proxy?: Proxy | undefined;
  readonly portalWitness: { readonly host: string; readonly proof: string };
  /** What the hosts' certificates are signed by, PEM. */
  readonly trust: string | readonly string[];
}

/** Looks at link, gateway, portal, names, time and every host of the list; all at once, each within its own bound. */
export async function checkNetwork(options: CheckOptions): Promise<readonly NetworkCheck[]> {
  const { network, adapter, probes, list, proxy, portalWitness, trust } = options;
  const state = await network.state(adapter);
  const link: NetworkCheck = { check: "link", adapter, result: state };
  // Without a link everything else fails, and tells nothing.
  if (state.kind !== "connected") return [link];
  const hosts = list.filter(({ protocol }) => protocol !== "ntp");
  const servers = list.filter(({ protocol }) => protocol === "ntp").map(({ host }) => host);
  // A proxy looks names up by itself; its own has to be known here.
  const names = proxy === undefined ? [...new Set(list.map(({ host }) => host))] : [proxy.host];
  return [
    link,
    ...(await Promise.all([
      gatewayCheck(probes, state.lease),
      portalCheck(probes, state.lease, portalWitness),
      ...names.map(async (name): Promise<NetworkCheck> => ({
        check: "name",
        name,
        result: await probes.resolve(name),
      })),
      ...servers.map(async (server): Promise<NetworkCheck> => ({
        check: "time",
        server,
        result: await probes.time(server),
      })),
      ...hosts.map(async (need): Promise<NetworkCheck> => ({
        check: "host",
        need,
        result: await probes.handshake({ host: need.host, port: need.port, alpn: need.alpn, trust }),
      })),
    ])),
  ];
}

async function gatewayCheck(probes: Probes, { gateway }: Lease): Promise<NetworkCheck> {
  const result = gateway === undefined ? ({ kind: "none" } as const) : await probes.gateway(gateway);
  return { check: "gateway", result };
}

/** What DHCP names is asked first: it knows its page. */
async function portalCheck(
  probes: Probes,
  { portalApi }: Lease,
  { host, proof }: CheckOptions["portalWitness"],
): Promise<NetworkCheck> {
  const told = portalApi === undefined ? undefined : await probes.portalApi(portalApi);
  const result = told?.kind === "captive-portal" ? told : await probes.portal(host, proof);
  return { check: "portal", result };
}
