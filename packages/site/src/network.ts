import type { ConnectRequest } from "./connect-request.ts";

export interface Adapter {
  /** As the system calls it: `eth0`. */
  readonly name: string;
  readonly kind: "ethernet" | "wifi";
  /** The hardware's own, in lower case with colons: what a hospital's allow-list wants. */
  readonly mac: string;
}

export interface SeenNetwork {
  readonly ssid: string;
  /** `other`: what devices of ours do not join, like WEP. */
  readonly security: "open" | "wpa2-psk" | "sae" | "802.1x" | "other";
  readonly signalPercent: number;
  readonly bandGHz: 2.4 | 5 | 6;
}

export interface Scan {
  /** The strongest first; each name and kind once. */
  readonly networks: readonly SeenNetwork[];
  /** Access points that do not tell their network's name. */
  readonly hidden: number;
}

export interface Lease {
  /** With their prefixes. */
  readonly addresses: readonly string[];
  readonly gateway: string | undefined;
  readonly dns: readonly string[];
  /** Where DHCP says that a captive portal tells of itself. @see RFC 8910 */
  readonly portalApi: string | undefined;
}

export type AdapterState =
  | { readonly kind: "absent" }
  /** No cable; of Wi-Fi, radio off. */
  | { readonly kind: "unplugged" }
  | { readonly kind: "disconnected" }
  | { readonly kind: "connecting" }
  | { readonly kind: "connected"; readonly lease: Lease };

/** What a person on site can mend, each in another way. */
export type ConnectFailure =
  | { readonly kind: "no-adapter"; readonly adapter: string }
  | { readonly kind: "unplugged"; readonly adapter: string }
  | { readonly kind: "network-not-found"; readonly ssid: string }
  | { readonly kind: "wrong-passphrase"; readonly ssid: string }
  /** Wrong identity or password, or nobody there who speaks 802.1X: a network tells no more. */
  | { readonly kind: "wrong-identity"; readonly identity: string }
  | { readonly kind: "no-dhcp"; readonly adapter: string }
  | { readonly kind: "timed-out"; readonly waitedSeconds: number }
  | { readonly kind: "not-connected"; readonly why: string };

export type Connected = { readonly kind: "connected"; readonly lease: Lease } | ConnectFailure;

/**
 * The machine's links to networks. Everything but `connect` rejects only with a `NetworkManagerError`; all give up with the
 * signal's reason.
 */
export interface Network {
  adapters(): Promise<readonly Adapter[]>;
  /** Scans anew, which takes seconds. */
  scan(adapter: string, signal?: AbortSignal): Promise<Scan>;
  /** Replaces what this adapter was told before. After a failure nothing of it is kept. */
  connect(request: ConnectRequest, signal?: AbortSignal): Promise<Connected>;
  state(adapter: string): Promise<AdapterState>;
  /** Does nothing where it is not connected. */
  disconnect(adapter: string): Promise<void>;
  /** Disconnects, and removes what this adapter was told, passphrases too. */
  forget(adapter: string): Promise<void>;
}
