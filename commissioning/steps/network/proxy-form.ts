import type { Proxy } from "@coalmine/site";
import type { Block, Screen, Values } from "../../flow/screen.ts";
import type { Texts } from "../../flow/texts/texts.ts";
import { proxyOf } from "../../proxy-file.ts";
import { wordsIn } from "./fixed-address.ts";

/** What is known of it stands there already, but for its password. */
export function proxyScreen(words: Texts["network"], proxy: Proxy | undefined): Screen {
  const input = (name: string, label: string, value = "", more: object = {}): Block => ({
    kind: "input",
    name,
    label,
    type: "text",
    ...(value === "" ? {} : { value }),
    ...more,
  });
  const optional = { isOptional: true };
  return {
    blocks: [
      input("proxy-host", words.proxyHost, proxy?.host, { hint: "proxy.hospital.example" }),
      input("proxy-port", words.proxyPort, proxy && String(proxy.port), { type: "number", hint: "3128" }),
      input("proxy-user", words.identity, proxy?.account?.user, optional),
      input("proxy-password", words.passphrase, "", { ...optional, type: "secret" }),
      input("exceptions", words.exceptions, proxy?.exceptions?.join(", "), optional),
    ],
    buttons: [
      { action: "use-proxy", label: words.useProxy, kind: "primary" },
      { action: "no-proxy", label: words.noProxy, kind: "plain" },
    ],
  };
}

/** @throws CommissioningRefused which says what was typed wrong. */
export function typedProxy(values: Values): Proxy {
  const { "proxy-host": host = "", "proxy-port": port = "", exceptions = "" } = values;
  const { "proxy-user": user = "", "proxy-password": password = "" } = values;
  return proxyOf({
    host: host.trim(),
    port: Number(port),
    exceptions: wordsIn(exceptions),
    ...(user === "" && password === "" ? {} : { account: { user, password } }),
  });
}
