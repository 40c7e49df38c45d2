import type { Adapter, AdapterState, Proxy } from "@coalmine/site";
import type { Block, Button, Screen } from "../../flow/screen.ts";
import type { Texts } from "../../flow/texts/texts.ts";

export type SeenAdapter = Adapter & { readonly state: AdapterState };

/** Every way to a network, with what each adapter has now. */
export function overviewScreen(
  words: Texts["network"],
  adapters: readonly SeenAdapter[],
  proxy: Proxy | undefined,
): Screen {
  const isConnected = adapters.some(({ state }) => state.kind === "connected");
  const plain = (action: string, label: string): Button => ({ action, label, kind: "plain" });
  return {
    blocks: [...adapterBlocks(words, adapters), ...proxyBlocks(words, proxy)],
    buttons: [
      ...(isConnected ? [{ action: "keep", label: words.keep, kind: "primary" } as const] : []),
      ...adapters.flatMap(({ name, kind }) =>
        kind === "wifi"
          ? [plain(`scan-${name}`, words.scan)]
          : [
              plain(`cable-${name}`, words.cable(name)),
              plain(`guarded-${name}`, words.guarded(name)),
              plain(`static-${name}`, words.static(name)),
            ],
      ),
      plain("without", words.without),
      plain("proxy", words.proxy),
    ],
  };
}

function adapterBlocks(words: Texts["network"], adapters: readonly SeenAdapter[]): readonly Block[] {
  if (adapters.length === 0) return [{ kind: "note", tone: "bad", text: words.noAdapter }];
  const rows = adapters.map(({ name, state }) => ({
    tone: state.kind === "connected" ? ("good" as const) : ("info" as const),
    label: name,
    text: state.kind === "connected" ? words.connected(state.lease) : words.states[state.kind],
  }));
  const macs = adapters.map(({ name, mac }) => `${name}  ${mac}`).join("\n");
  return [
    { kind: "findings", title: words.adapters, rows },
    { kind: "copy", label: words.mac, text: macs },
  ];
}

function proxyBlocks(words: Texts["network"], proxy: Proxy | undefined): readonly Block[] {
  if (proxy === undefined) return [];
  return [{ kind: "facts", rows: [{ label: words.proxyIs, value: `${proxy.host}:${proxy.port}` }] }];
}
