import type { Network, Probes, Proxy } from "@coalmine/site";
import type { Finding } from "../doctor/finding.ts";
import type { AnswerBook } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Block, Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import type { Language } from "../language.ts";
import { checkNetwork } from "../network/check-list.ts";
import { requestToIt } from "../network/it-request.ts";
import { networkList, portalWitness } from "../network/network-list.ts";
import { networkFinding } from "../network/sentences.ts";
import type { FindProxy } from "../proxy-file.ts";
import { languages } from "../texts/languages.ts";
import type { Device } from "./device.ts";

export interface ChecksParts {
  readonly book: AnswerBook;
  readonly device: Device;
  readonly network: Network;
  readonly probes: (proxy: Proxy | undefined) => Probes;
  readonly findProxy: FindProxy;
  /** What the cloud's certificates are signed by, PEM. */
  readonly trust: () => Promise<string>;
  readonly now: () => number;
  readonly timeServers?: readonly string[];
}

/** Everything that the device has to reach, tried; and what to ask of the local IT where something is in the way. */
export class ChecksStep implements Step {
  readonly name = "checks";
  readonly #parts: ChecksParts;
  #findings: readonly Finding[] = [];
  #request = "";

  constructor(parts: ChecksParts) {
    this.#parts = parts;
  }

  /** Without a network there is nothing to be tried. */
  get state(): StepState {
    const { leftOut, seen } = this.#parts.book.answers;
    if (seen.checks !== undefined) return "done";
    return leftOut.network === undefined ? "open" : "later";
  }

  screen({ checks: words }: Texts): Screen {
    const rows = this.#findings.map((finding) => ({
      tone: tones[finding.state],
      label: finding.check,
      text: "remedy" in finding ? `${finding.sentence} ${finding.remedy}` : finding.sentence,
    }));
    const isWell = rows.length > 0 && rows.every(({ tone }) => tone !== "bad");
    const run = { action: "run", label: rows.length === 0 ? words.run : words.again } as const;
    if (rows.length === 0)
      return { blocks: [{ kind: "text", text: words.what }], buttons: [{ ...run, kind: "primary" }] };
    const blocks: Block[] = [
      { kind: "note", tone: isWell ? "good" : "bad", text: isWell ? words.allWell : words.notWell },
      { kind: "findings", title: words.found, rows },
    ];
    if (!isWell) blocks.push({ kind: "copy", label: words.request, text: this.#request });
    const keep = { action: "keep", label: isWell ? words.keep : words.keepAllTheSame } as const;
    return isWell
      ? {
          blocks,
          buttons: [
            { ...keep, kind: "primary" },
            { ...run, kind: "plain" },
          ],
        }
      : {
          blocks,
          buttons: [
            { ...run, kind: "primary" },
            { ...keep, kind: "plain" },
          ],
        };
  }

  async act(action: string, _values: Values, { texts }: Scene): Promise<void> {
    const { book, now } = this.#parts;
    if (action === "run") {
      await this.#run(languages[texts.language]);
      return;
    }
    const checks = this.#findings.map(({ check, sentence, state }) => ({
      check,
      target: check,
      passed: state !== "failed",
      sentence,
    }));
    await book.write({ checks });
    await book.saw("checks", now());
  }

  async #run(texts: (typeof languages)[Language]): Promise<void> {
    const { network, probes, device, trust, book, timeServers, findProxy } = this.#parts;
    const { settings } = device;
    const list = networkList({ ...settings, ...(timeServers === undefined ? {} : { timeServers }) });
    const adapters = await network.adapters();
    const states = await Promise.all(adapters.map(({ name }) => network.state(name)));
    const [first] = adapters;
    const adapter = adapters[states.findIndex(({ kind }) => kind === "connected")] ?? first;
    const proxy = await findProxy();
    const checks = await checkNetwork({
      network,
      probes: probes(proxy),
      proxy,
      list,
      adapter: adapter?.name ?? "",
      portalWitness: portalWitness(settings.region),
      trust: await trust(),
    });
    this.#findings = checks.map((check) => networkFinding(check, texts));
    this.#request = requestToIt(
      {
        serial: settings.serial,
        site: book.answers.place?.site ?? "",
        adapters,
        list,
        findings: this.#findings,
        proxy: proxy && `${proxy.host}:${proxy.port}`,
      },
      texts,
    );
  }
}

const tones = { ok: "good", failed: "bad", "not checked": "info" } as const;
