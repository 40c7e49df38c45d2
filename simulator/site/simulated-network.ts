import type { Clock } from "@coalmine/ports";
import type {
  AdapterState,
  Connected,
  ConnectRequest,
  Eap,
  Lease,
  Medium,
  Network,
  Scan,
  SeenNetwork,
} from "@coalmine/site";
import { type AccessPointPort, OWN_ADDRESS, type OwnNetwork } from "@coalmine/site/own-network";
import { DEVICE, GATEWAY, NAME_SERVER, PORTAL_API } from "./addresses.ts";
import { isBelieved } from "./eap-tls.ts";
import type { AccessPoint, Account, SitePlan } from "./site-plan.ts";

/** What these take on a device; refusal and DHCP as measured with NetworkManager, a switch and a DHCP server. */
const SCAN_MS = 3500;
const ASSOCIATE_MS = 1500;
const NOT_FOUND_MS = 15_000;
const WRONG_PASSPHRASE_MS = 9000;
const WRONG_IDENTITY_MS = 25_000;
const DHCP_MS = 3000;
const NO_DHCP_MS = 30_000;
const STATIC_MS = 500;
const DISCONNECT_MS = 200;

/** The links of a device in a simulated building: in memory, on a clock that is handed in. */
export class SimulatedNetwork implements Network {
  readonly #plan: () => SitePlan;
  readonly #clock: Clock;
  readonly #states = new Map<string, AdapterState>();

  constructor(plan: () => SitePlan, clock: Clock) {
    this.#plan = plan;
    this.#clock = clock;
  }

  /** The network that the device itself offers, as phones see it. */
  offered: OwnNetwork | undefined;
  readonly accessPoint: AccessPointPort = {
    open: async (adapter, own) => {
      const found = this.#plan().adapters.find(({ name }) => name === adapter);
      if (found?.kind !== "wifi") return { kind: "not-open", why: `${adapter} has no radio` };
      this.offered = own;
      return { kind: "open", address: OWN_ADDRESS };
    },
    close: async () => {
      this.offered = undefined;
    },
  };

  async adapters() {
    return this.#plan().adapters;
  }

  async scan(_adapter: string, signal?: AbortSignal): Promise<Scan> {
    if (this.offered !== undefined) throw new Error("a radio that offers a network hears no other");
    await this.#clock.sleep(SCAN_MS, signal);
    const { accessPoints } = this.#plan();
    const named = accessPoints.filter(({ hidden }) => hidden !== true);
    const networks: SeenNetwork[] = named.map(({ ssid, security, signalPercent, bandGHz }) => ({
      ssid,
      security: security.kind,
      signalPercent,
      bandGHz,
    }));
    return {
      networks: networks.toSorted((a, b) => b.signalPercent - a.signalPercent),
      hidden: accessPoints.length - named.length,
    };
  }

  async connect(request: ConnectRequest, signal?: AbortSignal): Promise<Connected> {
    const { adapter, medium } = request;
    const before = await this.state(adapter);
    if (before.kind === "absent") return { kind: "no-adapter", adapter };
    if (before.kind === "unplugged") return { kind: "unplugged", adapter };
    this.#states.set(adapter, { kind: "connecting" });
    let result: Connected | undefined;
    try {
      result = (await this.#joined(medium, signal)) ?? (await this.#addressed(request, signal));
      return result;
    } finally {
      this.#states.set(adapter, result?.kind === "connected" ? result : { kind: "disconnected" });
    }
  }

  async state(adapter: string): Promise<AdapterState> {
    const { adapters, ethernet } = this.#plan();
    const known = adapters.find(({ name }) => name === adapter);
    if (known === undefined) return { kind: "absent" };
    if (known.kind === "ethernet" && !ethernet.plugged) return { kind: "unplugged" };
    // As NetworkManager tells of a network that it shares.
    if (known.kind === "wifi" && this.offered !== undefined)
      return {
        kind: "connected",
        lease: { addresses: [`${OWN_ADDRESS}/24`], gateway: undefined, dns: [], portalApi: undefined },
      };
    return this.#states.get(adapter) ?? { kind: "disconnected" };
  }

  async disconnect(adapter: string): Promise<void> {
    if ((await this.state(adapter)).kind !== "connected") return;
    await this.#clock.sleep(DISCONNECT_MS);
    this.#states.set(adapter, { kind: "disconnected" });
  }

  async forget(adapter: string): Promise<void> {
    this.#states.delete(adapter);
  }

  /** What the device knows of the network it is in, or undefined while it is in none. */
  lease(): Lease | undefined {
    const states = this.#plan().adapters.map(({ name, kind }) =>
      kind === "ethernet" && !this.#plan().ethernet.plugged ? undefined : this.#states.get(name),
    );
    const connected = states.find((state) => state?.kind === "connected");
    return connected?.kind === "connected" ? connected.lease : undefined;
  }

  /** Why the medium was not joined, or undefined where it was. */
  async #joined(medium: Medium, signal?: AbortSignal): Promise<Connected | undefined> {
    const { ethernet, accessPoints } = this.#plan();
    if (medium.kind === "ethernet")
      return ethernet.accounts === undefined
        ? this.#after(ASSOCIATE_MS, undefined, signal)
        : this.#authenticated(medium.eap, ethernet.accounts, signal);
    const { ssid, security } = medium;
    // A network that does not tell its name is found only by who asks for it.
    const found = accessPoints.find(
      (point) =>
        point.ssid === ssid &&
        (point.hidden !== true || medium.hidden) &&
        point.security.kind === security.kind,
    );
    if (found === undefined) return this.#after(NOT_FOUND_MS, { kind: "network-not-found", ssid }, signal);
    if (security.kind === "802.1x")
      return this.#authenticated(security.eap, accountsOf(found.security), signal);
    const fits =
      security.kind === "open" ||
      ("passphrase" in found.security && found.security.passphrase === security.passphrase.reveal());
    return fits
      ? this.#after(ASSOCIATE_MS, undefined, signal)
      : this.#after(WRONG_PASSPHRASE_MS, { kind: "wrong-passphrase", ssid }, signal);
  }

  async #authenticated(eap: Eap | undefined, accounts: readonly Account[], signal?: AbortSignal) {
    const known = accounts.find(({ identity }) => identity === eap?.identity);
    const server = this.#plan().authenticationServer;
    const fits =
      eap?.kind === "tls"
        ? server !== undefined && (await isBelieved(eap, server))
        : known?.password === eap?.password.reveal();
    return known !== undefined && fits
      ? this.#after(ASSOCIATE_MS, undefined, signal)
      : this.#after(
          WRONG_IDENTITY_MS,
          { kind: "wrong-identity" as const, identity: eap?.identity ?? "" },
          signal,
        );
  }

  async #addressed({ adapter, addressing }: ConnectRequest, signal?: AbortSignal): Promise<Connected> {
    if (addressing.kind === "static") {
      const { address, gateway, dns } = addressing;
      const lease: Lease = { addresses: [address], gateway, dns, portalApi: undefined };
      return this.#after(STATIC_MS, { kind: "connected", lease }, signal);
    }
    const { dhcp, captivePortal } = this.#plan();
    if (!dhcp) return this.#after(NO_DHCP_MS, { kind: "no-dhcp", adapter }, signal);
    const lease: Lease = {
      addresses: [DEVICE],
      gateway: GATEWAY,
      dns: [NAME_SERVER],
      portalApi: captivePortal ? PORTAL_API : undefined,
    };
    return this.#after(DHCP_MS, { kind: "connected", lease }, signal);
  }

  async #after<R>(durationMs: number, result: R, signal?: AbortSignal): Promise<R> {
    await this.#clock.sleep(durationMs, signal);
    return result;
  }
}

function accountsOf(security: AccessPoint["security"]): readonly Account[] {
  return security.kind === "802.1x" ? security.accounts : [];
}
