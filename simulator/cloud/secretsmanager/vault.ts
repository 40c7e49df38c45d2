import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Secrets as the state holds them: AES-256-GCM, bound to what they belong to. */
export interface Vault {
  seal(plain: string, belongsTo: string): string;
  open(sealed: string, belongsTo: string): string;
}

/** The key lies beside the state, readable by its owner alone, and is made once. */
export async function openVault(folder: string): Promise<Vault> {
  const path = join(folder, "secrets.key");
  const kept = await readFile(path).catch(() => undefined);
  const key = kept ?? randomBytes(KEY_BYTES);
  if (kept === undefined) await writeFile(path, key, { mode: 0o600, flag: "wx" });
  if (key.length !== KEY_BYTES)
    throw new VaultKeyUnreadable(
      `${path} has ${key.length} bytes, but a key has ${KEY_BYTES}: the cloud's secrets cannot be read; put the right file back, or remove the state directory and start anew`,
    );
  return vaultOf(key);
}

/** For a cloud whose state lives in memory, and so does its key. */
export function memoryVault(): Vault {
  return vaultOf(randomBytes(KEY_BYTES));
}

function vaultOf(key: Uint8Array): Vault {
  return {
    seal: (plain, belongsTo) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(belongsTo));
      const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
    },
    open: (sealed, belongsTo) => {
      const bytes = Buffer.from(sealed, "base64");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(belongsTo))
        .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return (
        decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8")
      );
    },
  };
}

/** The key file of the local cloud's secrets holds no key. */
export class VaultKeyUnreadable extends CoalmineError {
  readonly code = "ERR_CLOUD_SECRETS_KEY";
}
