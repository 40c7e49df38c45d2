import type { ConnectFailure, Network, Proxy, Scan } from "@coalmine/site";
import { ConnectRequest } from "@coalmine/site";
import type { EapCertificate } from "../eap/eap-certificate.ts";
import type { EapFiles } from "../eap/eap-files.ts";
import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import { connectSaid } from "../network/sentences.ts";
import type { FindProxy } from "../proxy-file.ts";
import { CommissioningRefused } from "../refusal.ts";
import { languages } from "../texts/languages.ts";
import { certificateGiven } from "./network/certificate-form.ts";
import { fixedAddressOf, fixedAddressScreen } from "./network/fixed-address.ts";
import {
  type By,
  type Joining,
  joinScreen,
  mediumOf,
  pickedOf,
  scanScreen,
  type ShownFiles,
} from "./network/joining.ts";
import { overviewScreen, type SeenAdapter } from "./network/overview.ts";
import { proxyScreen, typedProxy } from "./network/proxy-form.ts";

/** What the technician is at: an overview of the adapters, or one link that they describe. */
type At =
  | { readonly kind: "overview" }
  | { readonly kind: "wifi"; readonly adapter: string; readonly scan: Scan }
  | {
      readonly kind: "join";
      readonly adapter: string;
      readonly network: Joining;
      readonly by: By;
      /** The device's address is typed, too. */
      readonly isFixed: boolean;
    }
  | { readonly kind: "static"; readonly adapter: string }
  | { readonly kind: "proxy" };

export interface NetworkParts {
  readonly book: AnswerBook;
  readonly network: Network;
  readonly eapFiles: EapFiles;
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
  readonly #parts: NetworkParts;
  #proxy: Proxy | undefined;
  #adapters: readonly SeenAdapter[] = [];
  #at: At = { kind: "overview" };

  private constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  static async open(parts: NetworkParts): Promise<NetworkStep> {
    const step = new NetworkStep(parts);
    await step.#look();
    return step;
  }

  get state(): StepState {
    const { leftOut, seen } = this.#parts.book.answers;
    if (leftOut.network !== undefined) return "later";
    return seen.network === undefined ? "open" : "done";
  }

  screen({ network: words }: Texts): Screen {
    if (this.#at.kind === "overview") return overviewScreen(words, this.#adapters, this.#proxy);
    const { blocks, buttons } = this.#form(words, this.#at);
    return { blocks, buttons: [...buttons, { action: "overview", label: words.back, kind: "plain" }] };
  }

  #form(words: Texts["network"], at: Exclude<At, { kind: "overview" }>): Screen {
    switch (at.kind) {
      case "wifi":
        return scanScreen(words, at.scan, at.adapter);
      case "join":
        return withFixedAddress(words, joinScreen(words, at.network, at.by), at);
      case "static":
        return fixedAddressScreen(words);
      case "proxy":
        break;
    }
    return proxyScreen(words, this.#proxy);
  }

  async act(action: string, values: Values, scene: Scene): Promise<void> {
    await this.#do(action, values, scene);
    await this.#look();
  }

  async #do(action: string, values: Values, scene: Scene): Promise<void> {
    const { network: words } = scene.texts;
    const { book, network, now } = this.#parts;
    const at = this.#at;
    const [verb, adapter] = split(action);
    if (action === "keep") return book.saw("network", now());
    if (action === "without") return book.leaveOut("network", words.without);
    if (action === "use-proxy") return this.#keepProxy(typedProxy(values));
    if (action === "no-proxy") return this.#keepProxy(undefined);
    if (verb === "cable") return this.#connect({ adapter, medium: { kind: "ethernet" } }, scene);
    if (action === "use-static" && at.kind === "static") {
      const addressing = fixedAddressOf(values);
      return this.#connect({ adapter: at.adapter, medium: { kind: "ethernet" }, addressing }, scene);
    }
    if (action === "join" && at.kind === "join") return this.#join(at, values, scene);

    if (action === "overview") this.#at = { kind: "overview" };
    else if (action === "proxy") this.#at = { kind: "proxy" };
    else if (verb === "static") this.#at = { kind: "static", adapter };
    else if (verb === "guarded") this.#at = joining(adapter, { kind: "cable" });
    else if (verb === "scan") this.#at = { kind: "wifi", adapter, scan: await network.scan(adapter) };
    else if (action === "hidden" && at.kind === "wifi") this.#at = joining(at.adapter, { kind: "hidden" });
    else if (action === "pick" && at.kind === "wifi")
      this.#at = joining(at.adapter, pickedOf(at.scan, values, words));
    else if (action === "fixed" && at.kind === "join") this.#at = { ...at, isFixed: true };
    else if (verb === "by" && at.kind === "join")
      this.#at = { ...at, by: action === "by-certificate" ? "certificate" : "password" };
  }

  async #join(
    { adapter, network, by, isFixed }: Extract<At, { kind: "join" }>,
    values: Values,
    scene: Scene,
  ): Promise<void> {
    const given = by === "certificate" ? certificateGiven(values, scene, this.#parts.now()) : undefined;
    const shown = given === undefined ? {} : this.#shown(adapter, given);
    const addressing = isFixed ? { addressing: fixedAddressOf(values) } : {};
    await this.#connect(
      { adapter, medium: mediumOf(network, by, values, shown), ...addressing },
      scene,
      given,
    );
  }

  #shown(adapter: string, given: EapCertificate): ShownFiles {
    const { eapFiles } = this.#parts;
    const { certificateFile, privateKeyFile, password, files } = given;
    return {
      certificateFile: eapFiles.path(adapter, certificateFile),
      privateKeyFile: eapFiles.path(adapter, privateKeyFile),
      ...(password === undefined ? {} : { privateKeyPassword: password }),
      ...(files["authority.pem"] === undefined ? {} : { caFile: eapFiles.path(adapter, "authority.pem") }),
    };
  }

  /** Nothing is left of a link that did not come up, nor of the one before it. */
  async #connect(asked: object, { texts }: Scene, given?: Pick<EapCertificate, "files">): Promise<void> {
    const request = ConnectRequest.safeParse(asked);
    if (!request.success)
      throw new CommissioningRefused(
        "answers",
        request.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
      );
    const { network, eapFiles } = this.#parts;
    const { adapter } = request.data;
    await eapFiles.keep(adapter, given ?? { files: {} });
    let isUp = false;
    try {
      const connected = await network.connect(request.data);
      isUp = connected.kind === "connected";
      if (connected.kind !== "connected") throw new CommissioningRefused("network", said(connected, texts));
    } finally {
      if (!isUp) await eapFiles.drop(adapter);
    }
    this.#at = { kind: "overview" };
  }

  /** What was reached another way is to be tried again. */
  async #keepProxy(proxy: Proxy | undefined): Promise<void> {
    await this.#parts.proxies.keep(proxy);
    await this.#parts.book.reopen("checks");
    this.#at = { kind: "overview" };
  }

  async #look(): Promise<void> {
    const { network, proxies } = this.#parts;
    this.#proxy = await proxies.find();
    const adapters = await network.adapters();
    this.#adapters = await Promise.all(
      adapters.map(async (adapter) => ({ ...adapter, state: await network.state(adapter.name) })),
    );
  }
}

function joining(adapter: string, network: Joining): At {
  return { kind: "join", adapter, network, by: "password", isFixed: false };
}

function withFixedAddress(
  words: Texts["network"],
  { blocks, buttons }: Screen,
  { adapter, isFixed }: Extract<At, { kind: "join" }>,
): Screen {
  if (isFixed) return { blocks: [...blocks, ...fixedAddressScreen(words).blocks], buttons };
  return { blocks, buttons: [...buttons, { action: "fixed", label: words.static(adapter), kind: "plain" }] };
}

/** What is in the way, and what to do. */
function said(failure: ConnectFailure, { language }: Texts): string {
  const { what, todo = "" } = connectSaid(failure, languages[language]);
  return `${what} ${todo}`.trim();
}

function split(action: string): [string, string] {
  const at = action.indexOf("-");
  return at < 0 ? [action, ""] : [action.slice(0, at), action.slice(at + 1)];
}
