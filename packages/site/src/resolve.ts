import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import type { Resolved } from "./probes.ts";
import type { Wire } from "./wire.ts";

/** A server answers that there is no such name, or no address of it. */
const THERE_IS_NONE = new Set(["ENOTFOUND", "ENODATA"]);
const TRIES = 2;

/** As programs on this machine do: what it knows by itself first, then its servers, who are told where they fail. */
export async function resolveName(name: string, wire: Wire, waitMs: number): Promise<Resolved> {
  if (isIP(name) !== 0) return { kind: "resolved", addresses: [name] };
  const known = await wire.known(name);
  if (known.length > 0) return { kind: "resolved", addresses: known };
  const servers = wire.dnsServers();
  if (servers.length === 0) return { kind: "no-dns", name, servers };
  const resolver = new Resolver({ timeout: Math.ceil(waitMs / TRIES), tries: TRIES });
  resolver.setServers(servers);
  const four = await asked(() => resolver.resolve4(name));
  if (typeof four !== "string") return { kind: "resolved", addresses: four };
  if (!THERE_IS_NONE.has(four)) return { kind: "no-dns", name, servers };
  const six = four === "ENODATA" ? await asked(() => resolver.resolve6(name)) : four;
  return typeof six === "string"
    ? { kind: "unknown-name", name, servers }
    : { kind: "resolved", addresses: six };
}

async function asked(question: () => Promise<string[]>): Promise<string[] | string> {
  try {
    return await question();
  } catch (failure) {
    return failure instanceof Error && "code" in failure ? String(failure.code) : "";
  }
}
