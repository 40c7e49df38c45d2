import type { Proxy } from "@coalmine/site";
import { Secret } from "@coalmine/site";
import * as z from "zod";
import { type DurableFiles, modes, readIfThere } from "./durable-files.ts";
import { parsedJson } from "./parsed-json.ts";
import { CommissioningRefused } from "./refusal.ts";

/** Looked up at each use: the technician may name another proxy meanwhile. */
export type FindProxy = () => Promise<Proxy | undefined>;
export const noProxy: FindProxy = () => Promise.resolve(undefined);

const host = z.string().regex(/^[A-Za-z0-9.-]{1,253}$/, "a host name or an address of version 4");
/** No control character: it would end a header, or a line of a file. */
const printable = z.string().regex(/^\P{Cc}+$/u, "no control characters");

/** The building's proxy, as it is written down and as a person types it. */
const ProxyFile = z.strictObject({
  host,
  port: z.int().min(1).max(65_535),
  account: z
    .strictObject({
      /** A colon ends the name where the account is sent (RFC 7617). */
      user: printable.max(256).regex(/^[^:]+$/, "no colon"),
      password: printable.max(256),
    })
    .optional(),
  exceptions: z.array(host).max(50).default([]),
});

/** @throws CommissioningRefused which says what was typed wrong; never with the password. */
export function proxyOf(typed: unknown): Proxy {
  const read = ProxyFile.safeParse(typed);
  if (!read.success)
    throw new CommissioningRefused(
      "answers",
      read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  const { account, ...rest } = read.data;
  return account === undefined
    ? rest
    : { ...rest, account: { user: account.user, password: new Secret(account.password) } };
}

/** Undefined where the device goes without one. */
export async function readProxy(path: string): Promise<Proxy | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return proxyOf(parsedJson(text));
  } catch (cause) {
    throw new CommissioningRefused(
      "settings",
      `${path} cannot be read as the building's proxy; remove it, and name the proxy again`,
      { cause },
    );
  }
}

export async function keepProxy(path: string, proxy: Proxy | undefined, files: DurableFiles): Promise<void> {
  if (proxy === undefined) return files.erase(path);
  const { account, ...rest } = proxy;
  const written = {
    ...rest,
    ...(account === undefined
      ? {}
      : { account: { user: account.user, password: account.password.reveal() } }),
  };
  return files.write(path, `${JSON.stringify(written)}\n`, modes.privateKey);
}
