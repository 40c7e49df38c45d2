import type { KeyId, LogKeys } from "@coalmine/durable-log";
import type { Clock, Files, Ipc, Log } from "@coalmine/ports";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { Encryption, KeySource } from "./encryption-config.ts";
import type { PointStream } from "./point-stream.ts";
import type { Quarantine } from "./quarantine.ts";

/** A key that is needed cannot be had. What it encrypted is kept. */
export class LogKeyError extends CoalmineError {
  readonly code = "ERR_LOG_KEY";
  /** Whether waiting may help: whoever keeps the key did not answer. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass = false) {
    super(message);
    this.mayPass = mayPass;
  }
}

export interface LogKeysParts {
  readonly clock: Pick<Clock, "sleep">;
  readonly ipc: Pick<Ipc, "getSecretValue">;
  readonly files: Pick<Files, "foreign">;
  readonly log: Log;
  readonly streams: () => readonly PointStream[];
  /** Encrypted alike; that nobody can open what is in it any more stops nothing. */
  readonly quarantine: Pick<Quarantine, "useKeys">;
}

const KEY_BYTES = 32;
/** Waits between tries: the secret manager may start later than this component. */
const WAITS_MS = [1000, 2000, 4000, 8000];

/** The keys that a configuration names, for the logs that need them. Once no log has reason to complain, they are handed in. */
export async function unlock(parts: LogKeysParts, encryption: Encryption | undefined): Promise<void> {
  for (let tries = 0; ; tries++)
    try {
      const keys = await checkedKeys(parts, encryption);
      for (const store of [...parts.streams(), parts.quarantine]) store.useKeys(keys);
      return;
    } catch (failure) {
      const waitMs = WAITS_MS[tries];
      if (!(failure instanceof LogKeyError) || !failure.mayPass || waitMs === undefined) throw failure;
      parts.log.warn("waiting for a key", { cause: failure.message, waitMs });
      await parts.clock.sleep(waitMs);
    }
}

/** Why these keys will not do, whatever is waited for. The right to a secret may come with the very deployment. */
export async function keyProblem(
  parts: LogKeysParts,
  encryption: Encryption | undefined,
): Promise<string | undefined> {
  try {
    await checkedKeys(parts, encryption);
    return undefined;
  } catch (failure) {
    if (!(failure instanceof LogKeyError)) throw failure;
    return failure.mayPass ? undefined : failure.message;
  }
}

async function checkedKeys(
  { ipc, files, streams }: LogKeysParts,
  { currentKey, keys }: Encryption = { keys: {} },
): Promise<LogKeys> {
  const known = new Map<KeyId, Uint8Array>();
  const unread = new Map<KeyId, LogKeyError>();
  for (const [id, source] of Object.entries(keys)) {
    if (source.kind === "lost") continue;
    try {
      known.set(Number(id), await readKey(id, source, ipc, files));
    } catch (failure) {
      if (!(failure instanceof LogKeyError)) throw failure;
      unread.set(Number(id), failure);
    }
  }
  const unreadCurrent = currentKey === undefined ? undefined : unread.get(currentKey);
  if (unreadCurrent !== undefined) throw unreadCurrent;
  const ring: LogKeys = { ...(currentKey === undefined ? {} : { current: currentKey }), known };
  for (const { name, store } of streams())
    for (const { keyId, kind, first, last } of await store.keyFaults(ring)) {
      const source = keys[keyId];
      if (source?.kind === "lost") continue;
      const isNamed = source !== undefined;
      const why =
        kind === "another"
          ? `encryption.keys.${keyId} is another key than the one that encrypted them`
          : isNamed
            ? (unread.get(keyId)?.message ?? "")
            : `encryption.keys does not name it`;
      throw new LogKeyError(
        `records ${first} to ${last} of ${name} need key ${keyId}: ${why}. They are kept; name the right key, or give them up by encryption.keys.${keyId} = {"kind": "lost"}`,
        unread.get(keyId)?.mayPass === true,
      );
    }
  return ring;
}

const JsonSecret = z.record(z.string(), z.unknown());

async function readKey(
  id: string,
  source: Exclude<KeySource, { kind: "lost" }>,
  ipc: Pick<Ipc, "getSecretValue">,
  files: Pick<Files, "foreign">,
): Promise<Uint8Array> {
  const from =
    source.kind === "file"
      ? `the file ${source.path}`
      : `${source.field === undefined ? "" : `the field ${source.field} of `}the secret ${source.secretId}`;
  let content: string | Uint8Array | undefined;
  try {
    content = source.kind === "file" ? await readFile(files, source.path) : await readSecret(ipc, source);
  } catch (failure) {
    const remedy =
      source.kind === "file"
        ? "put it there, readable by the component's user"
        : "give the secret manager the secret, and this component the right to aws.greengrass#GetSecretValue on it";
    throw new LogKeyError(`key ${id} cannot be read from ${from} (${messageOf(failure)}): ${remedy}`, true);
  }
  const key = keyOf(content);
  if (key === undefined)
    throw new LogKeyError(
      `key ${id} in ${from} is no key: put ${KEY_BYTES} random bytes there, or as ${2 * KEY_BYTES} hexadecimal digits`,
    );
  return key;
}

async function readFile(files: Pick<Files, "foreign">, path: string): Promise<Uint8Array> {
  const cut = path.lastIndexOf("/");
  const file = await files.foreign(path.slice(0, cut) || "/").open(path.slice(cut + 1));
  // A key is never longer; what follows in a longer file makes it none.
  return file.read(0, 4 * KEY_BYTES).finally(() => file.close());
}

async function readSecret(
  ipc: Pick<Ipc, "getSecretValue">,
  { secretId, field }: Extract<KeySource, { kind: "secret" }>,
): Promise<string | Uint8Array | undefined> {
  const { secretString, secretBinary } = await ipc.getSecretValue(secretId);
  if (field === undefined) return secretString ?? secretBinary;
  const value = asObject(secretString ?? "")?.[field];
  return typeof value === "string" ? value : undefined;
}

function asObject(text: string): Record<string, unknown> | undefined {
  try {
    return JsonSecret.safeParse(JSON.parse(text)).data;
  } catch {
    // What a parser says of a secret may quote it.
    return undefined;
  }
}

function keyOf(content: string | Uint8Array | undefined): Uint8Array | undefined {
  if (content instanceof Uint8Array && content.length === KEY_BYTES) return content;
  const text = typeof content === "string" ? content : new TextDecoder().decode(content ?? new Uint8Array(0));
  const digits = text.trim();
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
