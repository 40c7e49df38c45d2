import type { Adapter } from "@coalmine/site";
import type { Finding } from "../doctor/finding.ts";
import type { Texts } from "../texts/texts.ts";
import type { Need } from "./network-list.ts";

export interface RequestOptions {
  readonly serial: string;
  readonly site: string;
  readonly adapters: readonly Adapter[];
  readonly list: readonly Need[];
  /** `host:port`, where there is one. */
  readonly proxy?: string | undefined;
  readonly findings: readonly Finding[];
}

/** What a technician copies and sends to the hospital's IT: plain text, nothing secret, everything they have to set. */
export function requestToIt(options: RequestOptions, { network: { request } }: Texts): string {
  const { serial, site, adapters, list, proxy, findings } = options;
  const failures = findings.flatMap((finding) =>
    finding.state === "failed" ? [`  ${finding.check}: ${finding.sentence} ${finding.remedy}`] : [],
  );
  const mutual = [...new Set(list.filter(({ isMutual }) => isMutual).flatMap(({ allow }) => allow))];
  return [
    request.subject(serial, site),
    "",
    request.intro,
    ...adapters.map(({ name, mac }) => request.mac(name, mac)),
    "",
    request.hosts,
    ...table(list, request.purposes),
    ...(proxy === undefined ? [] : ["", request.byProxy(proxy)]),
    "",
    request.mutual,
    request.bypass,
    ...mutual.map((name) => `  ${name}`),
    "",
    ...(failures.length === 0 ? [request.nothing] : [request.seen, ...failures]),
    "",
    request.thanks,
    "",
  ].join("\n");
}

function table(list: readonly Need[], purposes: Texts["network"]["request"]["purposes"]): string[] {
  const rows = list.flatMap(({ allow, port, protocol, purpose }) =>
    allow.map((host) => [
      host,
      `${port}/${protocol === "ntp" ? "udp" : "tcp"}`,
      protocol.toUpperCase(),
      purposes[purpose],
    ]),
  );
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")}`.trimEnd());
}
