import type { Scan, SeenNetwork } from "@coalmine/site";
import { CommissioningRefused } from "../../refusal.ts";
import type { Block, Button, Screen, Values } from "../../flow/screen.ts";
import type { Texts } from "../../flow/texts/texts.ts";
import { certificateBlocks } from "./certificate-form.ts";

/** What a technician joins: a network that was seen, one that hides its name, or a guarded socket in the wall. */
export type Joining =
  | { readonly kind: "seen"; readonly ssid: string; readonly security: SeenNetwork["security"] }
  | { readonly kind: "hidden" }
  | { readonly kind: "cable" };
export type By = "password" | "certificate";

/** What the device shows of itself by 802.1X, where that was not typed: the files that it keeps. */
export interface ShownFiles {
  readonly certificateFile?: string;
  readonly privateKeyFile?: string;
  readonly privateKeyPassword?: string;
  readonly caFile?: string;
}

const securities = ["open", "wpa2-psk", "sae", "802.1x"] as const;

export function scanScreen(words: Texts["network"], { networks, hidden }: Scan, adapter: string): Screen {
  const choice: Block =
    networks.length === 0
      ? { kind: "note", tone: "warn", text: words.nothingSeen(hidden) }
      : {
          kind: "choice",
          name: "network",
          label: words.seen,
          options: networks.map(({ ssid, security, signalPercent, bandGHz }, index) => ({
            value: String(index),
            label: ssid,
            detail: `${words.securities[security]}, ${signalPercent} %, ${bandGHz} GHz`,
          })),
        };
  return {
    blocks: [choice],
    buttons: [
      { action: "pick", label: words.pick, kind: "primary" },
      { action: `scan-${adapter}`, label: words.scanAgain, kind: "plain" },
      { action: "hidden", label: words.hidden, kind: "plain" },
    ],
  };
}

/** @throws CommissioningRefused where none was chosen, or one that nobody should join. */
export function pickedOf({ networks }: Scan, values: Values, words: Texts["network"]): Joining {
  const network = networks.find((_, index) => String(index) === values["network"]);
  if (network === undefined) throw new CommissioningRefused("answers", words.seen);
  const { ssid, security } = network;
  if (security === "other") throw new CommissioningRefused("network", words.otherSecurity(ssid));
  return { kind: "seen", ssid, security };
}

export function joinScreen(words: Texts["network"], network: Joining, by: By): Screen {
  const blocks = nameBlocks(words, network, by);
  const isHidden = network.kind === "hidden";
  const is8021x = network.kind === "cable" || (network.kind === "seen" && network.security === "802.1x");
  const isOptional = isHidden && by === "password";
  if (isHidden || is8021x)
    blocks.push({ kind: "input", name: "identity", label: words.identity, type: "text", isOptional });
  if (by === "certificate") blocks.push(...certificateBlocks(words));
  else if (network.kind !== "seen" || network.security !== "open")
    blocks.push({ kind: "input", name: "passphrase", label: words.passphrase, type: "secret", isOptional });
  const buttons: Button[] = [{ action: "join", label: words.join, kind: "primary" }];
  if (isHidden || is8021x)
    buttons.push(
      by === "password"
        ? { action: "by-certificate", label: words.byCertificate, kind: "plain" }
        : { action: "by-password", label: words.byPassword, kind: "plain" },
    );
  return { blocks, buttons };
}

function nameBlocks(words: Texts["network"], network: Joining, by: By): Block[] {
  if (network.kind === "cable") return [];
  if (network.kind === "seen") return [{ kind: "facts", rows: [{ label: words.ssid, value: network.ssid }] }];
  const ssid: Block = { kind: "input", name: "ssid", label: words.ssid, type: "text" };
  if (by === "certificate") return [ssid];
  const options = securities.map((value) => ({ value, label: words.securities[value] }));
  return [ssid, { kind: "choice", name: "security", label: words.security, value: "wpa2-psk", options }];
}

/** As `ConnectRequest` has a medium. */
export function mediumOf(network: Joining, by: By, values: Values, shown: ShownFiles): object {
  const { passphrase = "", identity = "" } = values;
  const eap =
    by === "certificate"
      ? { kind: "tls", identity, ...shown }
      : { kind: "peap", identity, password: passphrase };
  if (network.kind === "cable") return { kind: "ethernet", eap };
  const isHidden = network.kind === "hidden";
  const typed = by === "certificate" ? "802.1x" : (values["security"] ?? "");
  const kind = isHidden ? typed : network.security;
  const security = kind === "open" ? { kind } : kind === "802.1x" ? { kind, eap } : { kind, passphrase };
  const ssid = isHidden ? (values["ssid"] ?? "") : network.ssid;
  return { kind: "wifi", ssid, hidden: isHidden, security };
}
