import { readFile } from "node:fs/promises";
import type { Clock } from "@coalmine/ports";
import type { Handshaken } from "@coalmine/site";
import { nodeProbes } from "@coalmine/site/node-probes";
import { machineWire } from "@coalmine/site/wire";
import { hostSaid } from "./network/sentences.ts";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";
import { en } from "./texts/en.ts";

export interface TlsDoor {
  readonly host: string;
  readonly port: number;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly rootCaFile: string;
  readonly alpn: string | undefined;
}

/** Shakes hands once and hangs up, to say in a sentence what does not work: network, clock, authority. */
export async function probeTls(door: TlsDoor, clock: Clock): Promise<void> {
  const { host, port, alpn, certificateFile, privateKeyFile, rootCaFile } = door;
  const [certificate = "", privateKey = "", trust = ""] = await Promise.all(
    [certificateFile, privateKeyFile, rootCaFile].map((path) => readFile(path, "utf8")),
  );
  const probes = nodeProbes({ clock, wire: machineWire });
  const result = await probes.handshake({
    host,
    port,
    alpn,
    trust,
    identity: { certificate, privateKey },
  });
  if (result.kind === "trusted") return;
  const { what, todo = "" } = hostSaid(result, en.network);
  throw new CommissioningRefused(
    reasons[result.kind] ?? "unreachable",
    `${host}:${port}: ${what.replace(/\.$/, "")}; ${todo}`,
  );
}

const reasons: Readonly<Partial<Record<Handshaken["kind"], RefusalReason>>> = {
  "not-yet-valid": "clock-off",
  expired: "clock-off",
  intercepted: "wrong-authority",
  "wrong-name": "wrong-authority",
};
