import type { Screen, Values } from "../../flow/screen.ts";
import type { Texts } from "../../flow/texts/texts.ts";

/** What the local IT wrote on a piece of paper. */
export function fixedAddressScreen(words: Texts["network"]): Screen {
  return {
    blocks: [
      { kind: "input", name: "address", label: words.address, type: "text", hint: "10.9.8.7/24" },
      { kind: "input", name: "gateway", label: words.gateway, type: "text", hint: "10.9.8.1" },
      { kind: "input", name: "dns", label: words.dns, type: "text", hint: "10.9.8.1, 10.9.8.2" },
    ],
    buttons: [{ action: "use-static", label: words.useStatic, kind: "primary" }],
  };
}

/** As `ConnectRequest` has an addressing. */
export function fixedAddressOf({ address = "", gateway = "", dns = "" }: Values): object {
  return { kind: "static", address: address.trim(), gateway: gateway.trim(), dns: wordsIn(dns) };
}

/** Of a list as people write it. */
export function wordsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
