import type { ConnectRequest } from "./connect-request.ts";
import type { ConnectFailure } from "./network.ts";
import type { Ended } from "./program.ts";

/** How long nmcli waits for a link; DHCP after a slow authentication fits. */
export const ACTIVATION_SECONDS = 75;
/** nmcli's exit codes. @see nmcli(1), EXIT STATUS */
const TIMEOUT = 3;
const NOT_THERE = 10;

/** Why `nmcli connection up` failed. Its reasons are sentences of NetworkManager's, without numbers. */
export function activationFailure({ code, stderr }: Ended, request: ConnectRequest): ConnectFailure {
  const { adapter, medium, addressing } = request;
  const says = (pattern: RegExp) => pattern.test(stderr);
  if (code === TIMEOUT) return { kind: "timed-out", waitedSeconds: ACTIVATION_SECONDS };
  if (code === NOT_THERE || says(/No suitable device|The device disappeared/))
    return { kind: "no-adapter", adapter };
  if (medium.kind === "wifi" && says(/Wi-Fi network could not be found|No network with SSID/))
    return { kind: "network-not-found", ssid: medium.ssid };
  // A supplicant that failed is one that is not there: it refuses nobody.
  if (says(/Secrets were required|supplicant (disconnected|took too long)/)) {
    const eap = eapOf(request);
    if (eap !== undefined) return { kind: "wrong-identity", identity: eap.identity };
    if (medium.kind === "wifi" && medium.security.kind !== "open")
      return { kind: "wrong-passphrase", ssid: medium.ssid };
  }
  if (addressing.kind === "dhcp" && says(/IP configuration could not be reserved|DHCP client/))
    return { kind: "no-dhcp", adapter };
  return { kind: "not-connected", why: said(stderr) };
}

/** nmcli's own sentence, without its hint. */
export function said(stderr: string): string {
  const line = stderr.split("\n").find((one) => one.startsWith("Error: ")) ?? stderr.trim().split("\n")[0];
  return (line ?? "").replace(/^Error: (Connection activation failed: )?/, "").trim();
}

function eapOf({ medium }: ConnectRequest) {
  if (medium.kind === "ethernet") return medium.eap;
  return medium.security.kind === "802.1x" ? medium.security.eap : undefined;
}
