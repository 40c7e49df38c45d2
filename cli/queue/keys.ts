import { readFileSync } from "node:fs";
import type { KeyId, LogKeys } from "@coalmine/durable-log";
import { messageOf } from "@coalmine/runtime";
import { QueueError } from "./find-queues.ts";

const KEY_BYTES = 32;

/** Keys named as `ID=FILE`; a file holds 32 bytes, or as many in hexadecimal digits. */
export function readKeys(words: readonly string[]): LogKeys {
  return { known: new Map(words.map(readKey)) };
}

function readKey(word: string): [KeyId, Uint8Array] {
  const [, id = "", file = ""] = /^(\d{1,5})=(.+)$/.exec(word) ?? [];
  if (file === "")
    throw new QueueError("ERR_QUEUE_KEY", `--key is ID=FILE, such as 1=/etc/queue.key, not "${word}"`);
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (failure) {
    throw new QueueError("ERR_QUEUE_KEY", `key ${id} cannot be read: ${messageOf(failure)}`);
  }
  const digits = content.toString("latin1").trim();
  const key = /^[0-9a-fA-F]{64}$/.test(digits) ? Buffer.from(digits, "hex") : content;
  if (key.length !== KEY_BYTES)
    throw new QueueError(
      "ERR_QUEUE_KEY",
      `key ${id} in ${file} is ${key.length} bytes; AES-256 takes ${KEY_BYTES}`,
    );
  return [Number(id), new Uint8Array(key)];
}
