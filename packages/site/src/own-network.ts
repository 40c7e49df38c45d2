import type { Secret } from "./secret.ts";

/** A network that the device itself offers, for whoever stands before it with a phone. */
export interface OwnNetwork {
  /** At most 32 bytes. */
  readonly ssid: string;
  /** As WPA2 has it: at least 8 characters. */
  readonly passphrase: Secret;
}

/** The device's own address in it; every name leads there. */
export const OWN_ADDRESS = "10.42.7.1";
/** What DHCP tells phones of it. @see RFC 8910, 2 */
export const OWN_PORTAL_API = `http://${OWN_ADDRESS}/captive`;

export type Opened =
  | { readonly kind: "open"; readonly address: string }
  | { readonly kind: "not-open"; readonly why: string };

/** A Wi-Fi adapter as an access point: for others' networks it is of no use meanwhile. */
export interface AccessPointPort {
  open(adapter: string, own: OwnNetwork): Promise<Opened>;
  /** Does nothing where it is not open. */
  close(adapter: string): Promise<void>;
}
