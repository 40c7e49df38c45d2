import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { ACTIVATION_SECONDS, activationFailure, said } from "./activation-failure.ts";
import type { Adapter, AdapterState, Connected, Lease, Network, Scan, SeenNetwork } from "./network.ts";
import { argumentsOf, lastingSettings, profileOf } from "./profile.ts";
import { type Ended, NO_SUCH_PROGRAM, type RunProgram } from "./program.ts";
import { terseProperties, terseRows } from "./terse.ts";

/** nmcli's exit codes. @see nmcli(1), EXIT STATUS */
const DISCONNECTING_FAILED = 6;
const NOT_RUNNING = 8;
const NOT_THERE = 10;
const SCAN_SECONDS = 20;

/** NetworkManager's states of a device. @see nm-dbus-types, NMDeviceState */
const UNMANAGED = 10;
const UNAVAILABLE = 20;
const DISCONNECTED = 30;
const ACTIVATED = 100;

/** NetworkManager is not there, does not run, or does not do what is asked. */
export class NetworkManagerError extends CoalmineError {
  readonly code = "ERR_NETWORK_MANAGER";
}

const LinkOf = z.array(z.object({ address: z.string(), permaddr: z.string().optional() })).min(1);

/** The links of a machine whose network is NetworkManager's, by its command line. */
export function networkManager(run: RunProgram): Network {
  const nmcli = async (args: readonly string[], options: Parameters<RunProgram>[2] = {}): Promise<Ended> => {
    const ended = await run("nmcli", args, options);
    if (ended.code === NO_SUCH_PROGRAM)
      throw new NetworkManagerError(
        "nmcli is not on this machine; install NetworkManager (`apt install network-manager`) and let it manage the adapters",
      );
    if (ended.code === NOT_RUNNING)
      throw new NetworkManagerError(
        "NetworkManager does not run; start it (`systemctl enable --now NetworkManager`)",
      );
    return ended;
  };
  const must = async (args: readonly string[], signal?: AbortSignal): Promise<string> => {
    const ended = await nmcli(args, { signal });
    if (ended.code !== 0) throw unexpected(args, ended);
    return ended.stdout;
  };
  const state = async (adapter: string): Promise<AdapterState> => {
    const args = ["-t", "-f", "GENERAL,WIRED-PROPERTIES,IP4,DHCP4", "device", "show", adapter];
    const shown = await nmcli(args);
    if (shown.code === NOT_THERE) return { kind: "absent" };
    if (shown.code !== 0) throw unexpected(args, shown);
    return stateIn(terseProperties(shown.stdout));
  };

  return {
    state,

    async adapters() {
      const rows = terseRows(await must(["-t", "-f", "DEVICE,TYPE,STATE", "device", "status"]));
      const found: Adapter[] = [];
      for (const [name = "", kind, condition = ""] of rows)
        if ((kind === "ethernet" || kind === "wifi") && !condition.startsWith("unmanaged"))
          found.push({ name, kind, mac: await macOf(name, run) });
      return found;
    },

    async scan(adapter, signal) {
      const fields = ["-t", "-f", "SSID,SIGNAL,FREQ,SECURITY"];
      const wait = ["--wait", String(SCAN_SECONDS)];
      return scanIn(
        await must(
          [...fields, ...wait, "device", "wifi", "list", "ifname", adapter, "--rescan", "yes"],
          signal,
        ),
      );
    },

    async connect(request, signal): Promise<Connected> {
      const { adapter, medium } = request;
      const before = await state(adapter);
      if (before.kind === "absent") return { kind: "no-adapter", adapter };
      if (before.kind === "unplugged") return { kind: "unplugged", adapter };
      const name = profileName(adapter);
      const { settings, secrets } = profileOf(request);
      // Made anew: what an older profile had saved would be used in place of what is said now.
      const forget = () => nmcli(["connection", "delete", name]);
      await forget();
      await must(
        ["connection", "add", "type", medium.kind, "ifname", adapter, "con-name", name].concat(
          argumentsOf(settings),
        ),
        signal,
      );
      let up = false;
      try {
        const ended = await nmcli(
          ["--wait", String(ACTIVATION_SECONDS), "connection", "up", name, "passwd-file", "/dev/stdin"],
          { stdin: secrets, signal },
        );
        if (ended.code !== 0) return activationFailure(ended, request);
        await must(["connection", "modify", name, ...argumentsOf(lastingSettings)], signal);
        const now = await state(adapter);
        up = now.kind === "connected";
        return now.kind === "connected"
          ? now
          : { kind: "not-connected", why: `it was up, and is ${now.kind} now` };
      } finally {
        if (!up) await forget();
      }
    },

    async disconnect(adapter) {
      const args = ["device", "disconnect", adapter];
      const ended = await nmcli(args);
      if (![0, DISCONNECTING_FAILED, NOT_THERE].includes(ended.code)) throw unexpected(args, ended);
    },

    async forget(adapter) {
      const args = ["connection", "delete", profileName(adapter)];
      const ended = await nmcli(args);
      if (![0, NOT_THERE].includes(ended.code)) throw unexpected(args, ended);
    },
  };
}

const profileName = (adapter: string): string => `coalmine-${adapter}`;

/** While it scans, Wi-Fi may show an invented address: the hardware's own is told beside it then. */
async function macOf(adapter: string, run: RunProgram): Promise<string> {
  const { code, stdout, stderr } = await run("ip", ["-j", "link", "show", "dev", adapter]);
  if (code !== 0)
    throw new NetworkManagerError(
      `ip tells no hardware address of ${adapter} (it ends with ${code}: ${stderr.trim()}); install iproute2`,
    );
  const [link] = LinkOf.parse(JSON.parse(stdout));
  return (link?.permaddr ?? link?.address ?? "").toLowerCase();
}

function stateIn(shown: ReturnType<typeof terseProperties>): AdapterState {
  const one = (name: string) => shown.get(name)?.[0];
  const state = Number.parseInt(one("GENERAL.STATE") ?? "", 10);
  if (state === UNMANAGED) return { kind: "absent" };
  if (state === UNAVAILABLE || one("WIRED-PROPERTIES.CARRIER") === "off") return { kind: "unplugged" };
  if (state === ACTIVATED) {
    const lease: Lease = {
      addresses: shown.get("IP4.ADDRESS") ?? [],
      gateway: one("IP4.GATEWAY"),
      dns: shown.get("IP4.DNS") ?? [],
      // Debian 12's NetworkManager does not ask for it, nor show it: there the plain request alone tells of a portal.
      portalApi: (shown.get("DHCP4.OPTION") ?? [])
        .map((option) => /^(?:v4_)?captive_portal = (\S+)$/.exec(option)?.[1])
        .find((url) => url !== undefined),
    };
    return { kind: "connected", lease };
  }
  return state > DISCONNECTED && state < ACTIVATED ? { kind: "connecting" } : { kind: "disconnected" };
}

function scanIn(text: string): Scan {
  const seen = new Map<string, SeenNetwork>();
  let hidden = 0;
  for (const [ssid = "", signal = "", frequency = "", security = ""] of terseRows(text)) {
    if (ssid === "") {
      hidden++;
      continue;
    }
    const network: SeenNetwork = {
      ssid,
      security: securityOf(security),
      signalPercent: Number.parseInt(signal, 10) || 0,
      bandGHz: bandOf(Number.parseInt(frequency, 10)),
    };
    const key = `${network.security} ${ssid}`;
    if ((seen.get(key)?.signalPercent ?? -1) < network.signalPercent) seen.set(key, network);
  }
  return { networks: [...seen.values()].toSorted((a, b) => b.signalPercent - a.signalPercent), hidden };
}

/** A network of both kinds, `WPA2 WPA3`, is joined by the older: its access points may not all know the newer. */
function securityOf(words: string): SeenNetwork["security"] {
  if (words === "" || words === "--") return "open";
  if (words.includes("802.1X")) return "802.1x";
  if (/WPA[12]/.test(words)) return "wpa2-psk";
  return words.includes("WPA3") ? "sae" : "other";
}

function bandOf(megahertz: number): SeenNetwork["bandGHz"] {
  if (megahertz < 3000) return 2.4;
  return megahertz < 5925 ? 5 : 6;
}

function unexpected(args: readonly string[], { code, stderr }: Ended): NetworkManagerError {
  return new NetworkManagerError(
    `nmcli ${args.join(" ")} ends with ${code} (${said(stderr)}); look at \`journalctl -u NetworkManager\`, and run this as root`,
  );
}
