import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { messageOf } from "@coalmine/runtime";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import type { Network } from "@coalmine/site";
import { networkManager } from "@coalmine/site/network-manager";
import { nodeProbes } from "@coalmine/site/node-probes";
import { systemProgram } from "@coalmine/site/system-program";
import { machineWire } from "@coalmine/site/wire";
import * as z from "zod";
import type { Finding } from "../doctor/finding.ts";
import { Language } from "../language.ts";
import { readOptions } from "../options.ts";
import { placesOf } from "../places.ts";
import { readProxy } from "../proxy-file.ts";
import { languages } from "../texts/languages.ts";
import { checkNetwork } from "./check-list.ts";
import { requestToIt } from "./it-request.ts";
import { networkList, portalWitness } from "./network-list.ts";
import { networkFinding } from "./sentences.ts";

/** The network check list in a terminal, with what to send to the hospital's IT below it. Changes nothing. */
const usage = `usage: commissioning/network/main.ts --settings FILE [--adapter NAME] [--proxy HOST:PORT] [--language ${Language.options.join("|")}] [--json]
  FILE is what the device is commissioned with; without --adapter it is the one that is connected,
  and without --proxy the one that the technician named.
`;
const EXIT = { done: 0, unexpected: 1, usage: 2, unreachable: 8 } as const;
const signs = { ok: "ok  ", failed: "FAIL", "not checked": "?   " } as const;

const Arguments = z.object({
  settings: z.string(),
  adapter: z.string().optional(),
  proxy: z
    .string()
    .regex(/^[A-Za-z0-9.-]+:\d{1,5}$/)
    .transform((text) => ({ host: text.replace(/:\d+$/, ""), port: Number(text.replace(/^.*:/, "")) }))
    .optional(),
  language: Language.default("en"),
  json: z.boolean().default(false),
});

async function main(): Promise<number> {
  const given = argumentsGiven();
  if (given === undefined) {
    process.stderr.write(usage);
    return EXIT.usage;
  }
  const { settings: file, language, json } = given;
  const settings = await readOptions(file);
  const proxy = given.proxy ?? (await readProxy(placesOf(settings).proxy));
  const network = networkManager(systemProgram);
  const adapters = await network.adapters();
  const list = networkList(settings);
  const texts = languages[language];
  const checks = await checkNetwork({
    network,
    adapter: given.adapter ?? (await connectedOne(network)) ?? adapters[0]?.name ?? "eth0",
    list,
    proxy,
    probes: nodeProbes({ clock, wire: machineWire, proxy }),
    portalWitness: portalWitness(settings.region),
    trust: await readFile(settings.rootCaFile, "utf8"),
  });
  const findings = checks.map((check) => networkFinding(check, texts));
  const request = requestToIt(
    {
      serial: settings.serial,
      site: settings.site,
      adapters,
      list,
      findings,
      proxy: proxy && `${proxy.host}:${proxy.port}`,
    },
    texts,
  );
  process.stdout.write(
    json ? `${JSON.stringify({ findings, request })}\n` : `${findings.map(lineOf).join("\n")}\n\n${request}`,
  );
  return findings.some(({ state }) => state === "failed") ? EXIT.unreachable : EXIT.done;
}

function argumentsGiven(): z.infer<typeof Arguments> | undefined {
  const text = { type: "string" } as const;
  try {
    const options = { settings: text, adapter: text, proxy: text, language: text } as const;
    const { values } = parseArgs({ options: { ...options, json: { type: "boolean" } } });
    return Arguments.safeParse(values).data;
  } catch {
    return undefined;
  }
}

async function connectedOne(network: Network): Promise<string | undefined> {
  for (const { name } of await network.adapters())
    if ((await network.state(name)).kind === "connected") return name;
  return undefined;
}

function lineOf(finding: Finding): string {
  const line = `${signs[finding.state]}  ${finding.check}: ${finding.sentence}`;
  return finding.state === "failed" ? `${line}\n        ${finding.remedy}` : line;
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    process.stderr.write(`${messageOf(failure)}\n`);
    process.exit(EXIT.unexpected);
  },
);
