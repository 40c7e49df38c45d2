import type { ConnectRequest, Eap } from "./connect-request.ts";
import { passwordLine } from "./terse.ts";

/** The default is 45; a server that is there answers within two. */
const DHCP_SECONDS = 30;
/** A switch holds a port for some 20 s after a refusal. */
const EAP_SECONDS = 25;

/** What nmcli is told of a link: settings on its command line, secrets through its `passwd-file`, and nowhere else. */
export interface Profile {
  readonly settings: Settings;
  readonly secrets: string;
}
/** By the names of NetworkManager's properties. @see nm-settings-nmcli(5) */
type Settings = Readonly<Record<string, string>>;

/**
 * One attempt at authentication, so that a wrong passphrase is told instead of asked for again; no IPv4, no connection; and
 * the hardware's own address, since a hospital's allow-list has that one.
 */
export function profileOf({ medium, addressing }: ConnectRequest): Profile {
  const { settings, secrets } = medium.kind === "ethernet" ? ethernet(medium.eap) : wifi(medium);
  return {
    settings: {
      ...settings,
      "connection.autoconnect": "no",
      "connection.auth-retries": "1",
      "ipv4.may-fail": "no",
      ...(addressing.kind === "dhcp"
        ? { "ipv4.method": "auto", "ipv4.dhcp-timeout": String(DHCP_SECONDS) }
        : {
            "ipv4.method": "manual",
            "ipv4.addresses": addressing.address,
            "ipv4.gateway": addressing.gateway,
            "ipv4.dns": addressing.dns.join(","),
          }),
    },
    secrets,
  };
}

/** Of a link that came up: it comes up by itself from now on, as often as it takes. */
export const lastingSettings: Settings = {
  "connection.autoconnect": "yes",
  "connection.auth-retries": "-1",
};

/** As arguments. */
export function argumentsOf(settings: Settings): string[] {
  return Object.entries(settings).flat();
}

function ethernet(eap: Eap | undefined): Profile {
  const { settings, secrets } = eap === undefined ? { settings: {}, secrets: "" } : eapOf(eap);
  return { settings: { "802-3-ethernet.cloned-mac-address": "permanent", ...settings }, secrets };
}

function wifi({ ssid, hidden, security }: Extract<ConnectRequest["medium"], { kind: "wifi" }>): Profile {
  const settings: Settings = {
    ssid,
    "802-11-wireless.cloned-mac-address": "permanent",
    ...(hidden ? { "802-11-wireless.hidden": "yes" } : {}),
  };
  if (security.kind === "open") return { settings, secrets: "" };
  const keyManagement = (name: string): Settings => ({
    ...settings,
    "802-11-wireless-security.key-mgmt": name,
  });
  if (security.kind === "802.1x") {
    const eap = eapOf(security.eap);
    return { settings: { ...keyManagement("wpa-eap"), ...eap.settings }, secrets: eap.secrets };
  }
  return {
    settings: keyManagement(security.kind === "sae" ? "sae" : "wpa-psk"),
    secrets: passwordLine("802-11-wireless-security.psk", security.passphrase.reveal()),
  };
}

function eapOf(eap: Eap): Profile {
  const common: Settings = {
    "802-1x.eap": eap.kind,
    "802-1x.identity": eap.identity,
    "802-1x.auth-timeout": String(EAP_SECONDS),
    ...(eap.caFile === undefined ? {} : { "802-1x.ca-cert": eap.caFile }),
  };
  // What asks for the password asks for the identity with it.
  const identity = passwordLine("802-1x.identity", eap.identity);
  if (eap.kind === "tls") {
    const password = eap.privateKeyPassword?.reveal();
    return {
      settings: {
        ...common,
        "802-1x.client-cert": eap.certificateFile,
        "802-1x.private-key": eap.privateKeyFile,
        // 4: no password is needed.
        ...(password === undefined ? { "802-1x.private-key-password-flags": "4" } : {}),
      },
      secrets:
        password === undefined ? identity : identity + passwordLine("802-1x.private-key-password", password),
    };
  }
  return {
    settings: {
      ...common,
      "802-1x.phase2-auth": "mschapv2",
      ...(eap.anonymousIdentity === undefined ? {} : { "802-1x.anonymous-identity": eap.anonymousIdentity }),
    },
    secrets: identity + passwordLine("802-1x.password", eap.password.reveal()),
  };
}
