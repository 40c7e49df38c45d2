import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { said } from "./activation-failure.ts";
import type { AccessPointPort } from "./own-network.ts";
import { OWN_ADDRESS, OWN_PORTAL_API } from "./own-network.ts";
import { argumentsOf } from "./profile.ts";
import type { RunProgram } from "./program.ts";
import { passwordLine } from "./terse.ts";

const PROFILE = "coalmine-own";
const UP_SECONDS = 30;
/** What NetworkManager's dnsmasq reads for networks that it shares. @see NetworkManager(8), dnsmasq-shared.d */
const DNSMASQ_FOLDER = "/etc/NetworkManager/dnsmasq-shared.d";

/** By NetworkManager, which asks its dnsmasq (`apt install dnsmasq-base`) for addresses and names. */
export function ownAccessPoint(run: RunProgram, folder = DNSMASQ_FOLDER): AccessPointPort {
  const file = join(folder, "coalmine.conf");
  const forget = async () => {
    await run("nmcli", ["connection", "delete", PROFILE]);
    await rm(file, { force: true });
  };
  return {
    async open(adapter, { ssid, passphrase }) {
      await forget();
      await mkdir(folder, { recursive: true });
      // Where the portal tells of itself (option 114), and that every name is this device: a phone that knows neither asks.
      await writeFile(file, `dhcp-option=114,${OWN_PORTAL_API}\naddress=/#/${OWN_ADDRESS}\n`);
      const settings = {
        ssid,
        "802-11-wireless.mode": "ap",
        // Phones and adapters of every age have 2.4 GHz.
        "802-11-wireless.band": "bg",
        "802-11-wireless-security.key-mgmt": "wpa-psk",
        "802-11-wireless-security.proto": "rsn",
        "802-11-wireless-security.pairwise": "ccmp",
        "connection.autoconnect": "no",
        "ipv4.method": "shared",
        "ipv4.addresses": `${OWN_ADDRESS}/24`,
        "ipv6.method": "disabled",
      };
      const add = ["connection", "add", "type", "wifi", "ifname", adapter, "con-name", PROFILE];
      const up = ["--wait", String(UP_SECONDS), "connection", "up", PROFILE, "passwd-file", "/dev/stdin"];
      const secrets = passwordLine("802-11-wireless-security.psk", passphrase.reveal());
      const added = await run("nmcli", [...add, ...argumentsOf(settings)]);
      const ended = added.code === 0 ? await run("nmcli", up, { stdin: secrets }) : added;
      if (ended.code === 0) return { kind: "open", address: OWN_ADDRESS };
      await forget();
      return { kind: "not-open", why: said(ended.stderr) || `nmcli ends with ${ended.code}` };
    },
    close: forget,
  };
}
