import type { Adapter, SeenNetwork } from "@coalmine/site";

/** Who may join by 802.1X: with a password, or with a certificate that the building's server believes. */
export interface Account {
  readonly identity: string;
  readonly password?: string;
}

/** The building's end of 802.1X by certificate. */
export interface AuthenticationServer {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Whose certificates let in. */
  readonly believes: string;
}

export interface AccessPoint {
  readonly ssid: string;
  readonly hidden?: boolean;
  readonly signalPercent: number;
  readonly bandGHz: SeenNetwork["bandGHz"];
  readonly security:
    | { readonly kind: "open" }
    | { readonly kind: "wpa2-psk" | "sae"; readonly passphrase: string }
    | { readonly kind: "802.1x"; readonly accounts: readonly Account[] };
}

export interface FirewallRule {
  /** Any, where none is named. */
  readonly host?: string;
  readonly port: number;
  readonly does: "refuse" | "drop";
}

/** A building's network as data. What is left out is not there; `openSite` is one that is in nobody's way. */
export interface SitePlan {
  readonly adapters: readonly Adapter[];
  readonly ethernet: { readonly plugged: boolean; readonly accounts?: readonly Account[] };
  readonly accessPoints: readonly AccessPoint[];
  readonly authenticationServer: AuthenticationServer | undefined;
  readonly dhcp: boolean;
  readonly dns: boolean;
  /** Names that are known, beside the site's own; each is served outside. */
  readonly hosts: readonly string[];
  /** Where a real server on loopback stands behind `host:port`: its port. */
  readonly doors: Readonly<Record<string, number>>;
  readonly firewall: readonly FirewallRule[];
  readonly proxy:
    | {
        readonly account?: { readonly user: string; readonly password: string };
        /** Hosts that it leads to; all, where none are named. */
        readonly allows?: readonly string[];
        /** Nothing leaves the building but through it. */
        readonly isOnlyWay: boolean;
      }
    | undefined;
  /** Opens TLS and signs it anew, but for the hosts that pass. */
  readonly inspection: { readonly authority: string; readonly passes: readonly string[] } | undefined;
  readonly captivePortal: boolean;
  /** Whether time servers answer, and how well they know the time. */
  readonly time: "right" | "unsynchronised" | "silent";
  readonly deviceClockAheadMs: number;
  /** Of the device's own clock. */
  readonly deviceClockBattery: "good" | "low" | "empty" | "no-clock" | "unknown";
}

export const openSite: SitePlan = {
  adapters: [
    { name: "eth0", kind: "ethernet", mac: "02:00:5e:10:00:01" },
    { name: "wlan0", kind: "wifi", mac: "02:00:5e:10:00:02" },
  ],
  ethernet: { plugged: true },
  accessPoints: [],
  authenticationServer: undefined,
  dhcp: true,
  dns: true,
  hosts: [],
  doors: {},
  firewall: [],
  proxy: undefined,
  inspection: undefined,
  captivePortal: false,
  time: "right",
  deviceClockAheadMs: 0,
  deviceClockBattery: "good",
};
