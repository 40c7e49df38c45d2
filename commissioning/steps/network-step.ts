import type {
  Adapter,
  AdapterState,
  ConnectFailure,
  Network,
  Proxy,
  Scan,
  SeenNetwork,
} from "@coalmine/site";
import { ConnectRequest } from "@coalmine/site";
import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Block, Button, Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import { connectSaid } from "../network/sentences.ts";
import { type FindProxy, proxyOf } from "../proxy-file.ts";
import { CommissioningRefused } from "../refusal.ts";
import { languages } from "../texts/languages.ts";

/** What the technician is at: an overview of the adapters, or one link that they describe. */
type At =
  | { readonly kind: "overview" }
  | { readonly kind: "wifi"; readonly adapter: string; readonly scan: Scan }
  | { readonly kind: "join"; readonly adapter: string; readonly network: Joining }
  | { readonly kind: "static"; readonly adapter: string }
  | { readonly kind: "proxy" };

interface Joining {
  readonly ssid: string | undefined;
  readonly security: SeenNetwork["security"];
}

const securities = ["open", "wpa2-psk", "sae", "802.1x"] as const;

export interface NetworkParts {
  readonly book: AnswerBook;
  readonly network: Network;
  readonly proxies: {
    readonly find: FindProxy;
    /** Keeps it where only its owner reads; none where undefined. */
    keep(proxy: Proxy | undefined): Promise<void>;
  };
  readonly now: () => number;
}

/** A link to the building's network, or none for now. No passphrase outlives the request that it came with. */
export class NetworkStep implements Step {
  readonly name = "network";
  readonly #book: AnswerBook;
  readonly #network: Network;
  readonly #proxies: NetworkParts["proxies"];
  readonly #now: () => number;
  #proxy: Proxy | undefined;
  #adapters: readonly (Adapter & { readonly state: AdapterState })[] = [];
  #at: At = { kind: "overview" };

  private constructor({ book, network, proxies, now }: NetworkParts) {
    this.#book = book;
    this.#network = network;
    this.#proxies = proxies;
    this.#now = now;
  }

  static async open(parts: NetworkParts): Promise<NetworkStep> {
    const step = new NetworkStep(parts);
    await step.#look();
    return step;
  }

  get state(): StepState {
    const { leftOut, seen } = this.#book.answers;
    if (leftOut.network !== undefined) return "later";
    return seen.network === undefined ? "open" : "done";
  }

  screen({ network: words }: Texts): Screen {
    const back: Button = { action: "overview", label: words.back, kind: "plain" };
    switch (this.#at.kind) {
      case "overview":
        return this.#overview(words);
      case "wifi":
        return {
          blocks: [this.#choice(words, this.#at.scan)],
          buttons: [
            { action: "pick", label: words.pick, kind: "primary" },
            { action: `scan-${this.#at.adapter}`, label: words.scanAgain, kind: "plain" },
            { action: "hidden", label: words.hidden, kind: "plain" },
            back,
          ],
        };
      case "join":
        return {
          blocks: joinBlocks(words, this.#at.network),
          buttons: [{ action: "join", label: words.join, kind: "primary" }, back],
        };
      case "proxy":
        return {
          blocks: proxyBlocks(words, this.#proxy),
          buttons: [
            { action: "use-proxy", label: words.useProxy, kind: "primary" },
            { action: "no-proxy", label: words.noProxy, kind: "plain" },
            back,
          ],
        };
      case "static":
        break;
    }
    return {
      blocks: [
        { kind: "input", name: "address", label: words.address, type: "text", hint: "10.9.8.7/24" },
        { kind: "input", name: "gateway", label: words.gateway, type: "text", hint: "10.9.8.1" },
        { kind: "input", name: "dns", label: words.dns, type: "text", hint: "10.9.8.1, 10.9.8.2" },
      ],
      buttons: [{ action: "use-static", label: words.useStatic, kind: "primary" }, back],
    };
  }

  async act(action: string, values: Values, { texts }: Scene): Promise<void> {
    const { network: words } = texts;
    const [verb, adapter] = split(action);
    if (action === "overview") this.#at = { kind: "overview" };
    else if (verb === "scan") this.#at = { kind: "wifi", adapter, scan: await this.#network.scan(adapter) };
    else if (verb === "static") this.#at = { kind: "static", adapter };
    else if (verb === "cable")
      await this.#connect({ adapter, medium: { kind: "ethernet" }, addressing: { kind: "dhcp" } }, texts);
    else if (action === "use-static" && this.#at.kind === "static")
      await this.#connect(
        { adapter: this.#at.adapter, medium: { kind: "ethernet" }, addressing: staticOf(values) },
        texts,
      );
    else if (action === "hidden" && this.#at.kind === "wifi")
      this.#at = {
        kind: "join",
        adapter: this.#at.adapter,
        network: { ssid: undefined, security: "wpa2-psk" },
      };
    else if (action === "pick" && this.#at.kind === "wifi") this.#pick(this.#at, values, words);
    else if (action === "join" && this.#at.kind === "join")
      await this.#connect(joinRequest(this.#at.adapter, this.#at.network, values), texts);
    else if (action === "proxy") this.#at = { kind: "proxy" };
    else if (action === "use-proxy") await this.#keepProxy(typedProxy(values));
    else if (action === "no-proxy") await this.#keepProxy(undefined);
    else if (action === "keep") await this.#book.saw("network", this.#now());
    else if (action === "without") await this.#book.leaveOut("network", words.without);
    await this.#look();
  }

  #overview(words: Texts["network"]): Screen {
    const isConnected = this.#adapters.some(({ state }) => state.kind === "connected");
    const buttons: Button[] = isConnected ? [{ action: "keep", label: words.keep, kind: "primary" }] : [];
    for (const { name, kind } of this.#adapters)
      if (kind === "wifi") buttons.push({ action: `scan-${name}`, label: words.scan, kind: "plain" });
      else
        buttons.push(
          { action: `cable-${name}`, label: words.cable(name), kind: "plain" },
          { action: `static-${name}`, label: words.static(name), kind: "plain" },
        );
    buttons.push(
      { action: "without", label: words.without, kind: "plain" },
      { action: "proxy", label: words.proxy, kind: "plain" },
    );
    const findings = this.#adapters.map(({ name, state }) => ({
      tone: state.kind === "connected" ? ("good" as const) : ("info" as const),
      label: name,
      text: state.kind === "connected" ? words.connected(state.lease) : words.states[state.kind],
    }));
    const macs = this.#adapters.map(({ name, mac }) => `${name}  ${mac}`).join("\n");
    const blocks: Block[] =
      findings.length === 0
        ? [{ kind: "note", tone: "bad", text: words.noAdapter }]
        : [
            { kind: "findings", title: words.adapters, rows: findings },
            { kind: "copy", label: words.mac, text: macs },
          ];
    if (this.#proxy !== undefined) {
      const value = `${this.#proxy.host}:${this.#proxy.port}`;
      blocks.push({ kind: "facts", rows: [{ label: words.proxyIs, value }] });
    }
    return { blocks, buttons };
  }

  #choice(words: Texts["network"], { networks, hidden }: Scan): Block {
    if (networks.length === 0) return { kind: "note", tone: "warn", text: words.nothingSeen(hidden) };
    return {
      kind: "choice",
      name: "network",
      label: words.seen,
      options: networks.map(({ ssid, security, signalPercent, bandGHz }, index) => ({
        value: String(index),
        label: ssid,
        detail: `${words.securities[security]}, ${signalPercent} %, ${bandGHz} GHz`,
      })),
    };
  }

  #pick(at: Extract<At, { kind: "wifi" }>, values: Values, words: Texts["network"]): void {
    const network = at.scan.networks.find((_, index) => String(index) === values["network"]);
    if (network === undefined) throw new CommissioningRefused("answers", words.seen);
    if (network.security === "other")
      throw new CommissioningRefused("network", words.otherSecurity(network.ssid));
    this.#at = { kind: "join", adapter: at.adapter, network };
  }

  async #connect(asked: object, texts: Texts): Promise<void> {
    const request = ConnectRequest.safeParse(asked);
    if (!request.success)
      throw new CommissioningRefused(
        "answers",
        request.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
      );
    const connected = await this.#network.connect(request.data);
    if (connected.kind !== "connected") throw new CommissioningRefused("network", said(connected, texts));
    this.#at = { kind: "overview" };
  }

  /** What was reached another way is to be tried again. */
  async #keepProxy(proxy: Proxy | undefined): Promise<void> {
    await this.#proxies.keep(proxy);
    await this.#book.reopen("checks");
    this.#at = { kind: "overview" };
  }

  async #look(): Promise<void> {
    this.#proxy = await this.#proxies.find();
    const adapters = await this.#network.adapters();
    this.#adapters = await Promise.all(
      adapters.map(async (adapter) => ({ ...adapter, state: await this.#network.state(adapter.name) })),
    );
  }
}

/** What is in the way, and what to do. */
function said(failure: ConnectFailure, { language }: Texts): string {
  const { what, todo = "" } = connectSaid(failure, languages[language]);
  return `${what} ${todo}`.trim();
}

function joinBlocks(words: Texts["network"], { ssid, security }: Joining): Block[] {
  const blocks: Block[] = [];
  if (ssid === undefined)
    blocks.push(
      { kind: "input", name: "ssid", label: words.ssid, type: "text" },
      {
        kind: "choice",
        name: "security",
        label: words.security,
        value: "wpa2-psk",
        options: securities.map((value) => ({ value, label: words.securities[value] })),
      },
    );
  else blocks.push({ kind: "facts", rows: [{ label: words.ssid, value: ssid }] });
  const isOptional = ssid === undefined;
  if (isOptional || security === "802.1x")
    blocks.push({ kind: "input", name: "identity", label: words.identity, type: "text", isOptional });
  if (isOptional || security !== "open")
    blocks.push({ kind: "input", name: "passphrase", label: words.passphrase, type: "secret", isOptional });
  return blocks;
}

function joinRequest(adapter: string, network: Joining, values: Values): object {
  const { passphrase = "", identity = "" } = values;
  const kind = network.ssid === undefined ? (values["security"] ?? "") : network.security;
  const security =
    kind === "open"
      ? { kind }
      : kind === "802.1x"
        ? { kind, eap: { kind: "peap", identity, password: passphrase } }
        : { kind, passphrase };
  return {
    adapter,
    medium: {
      kind: "wifi",
      ssid: network.ssid ?? values["ssid"] ?? "",
      hidden: network.ssid === undefined,
      security,
    },
  };
}

function staticOf({ address = "", gateway = "", dns = "" }: Values): object {
  return { kind: "static", address: address.trim(), gateway: gateway.trim(), dns: listOf(dns) };
}

function proxyBlocks(words: Texts["network"], proxy: Proxy | undefined): Block[] {
  const input = (name: string, label: string, value = "", more: object = {}): Block => ({
    kind: "input",
    name,
    label,
    type: "text",
    ...(value === "" ? {} : { value }),
    ...more,
  });
  const optional = { isOptional: true };
  return [
    input("proxy-host", words.proxyHost, proxy?.host, { hint: "proxy.hospital.example" }),
    input("proxy-port", words.proxyPort, proxy && String(proxy.port), { type: "number", hint: "3128" }),
    input("proxy-user", words.identity, proxy?.account?.user, optional),
    input("proxy-password", words.passphrase, "", { ...optional, type: "secret" }),
    input("exceptions", words.exceptions, proxy?.exceptions?.join(", "), optional),
  ];
}

function typedProxy(values: Values): Proxy {
  const { "proxy-host": host = "", "proxy-port": port = "", exceptions = "" } = values;
  const { "proxy-user": user = "", "proxy-password": password = "" } = values;
  return proxyOf({
    host: host.trim(),
    port: Number(port),
    exceptions: listOf(exceptions),
    ...(user === "" && password === "" ? {} : { account: { user, password } }),
  });
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}

function split(action: string): [string, string] {
  const at = action.indexOf("-");
  return at < 0 ? [action, ""] : [action.slice(0, at), action.slice(at + 1)];
}
