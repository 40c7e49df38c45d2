import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { messageOf } from "@coalmine/runtime";
import { checkKind } from "./signers.ts";
import { SupplyError } from "./supply-error.ts";

/** Makes an Ed25519 key that its owner alone can read, and gives the public half in PEM. A file that is there stays. */
export function makeSigningKey(file: string): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  try {
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  } catch (failure) {
    throw new SupplyError(
      "ERR_SUPPLY_KEY",
      `no key can be written to ${file} (${messageOf(failure)}); name a file that is not there yet`,
      { cause: failure },
    );
  }
  return publicHalf(privateKey);
}

/** Reads a private key in PEM; refuses one that anybody but its owner may read or write. */
export function readSigningKey(file: string): KeyObject {
  let key: KeyObject;
  try {
    const descriptor = openSync(file, "r");
    try {
      // Of what was opened, so that it cannot be exchanged in between.
      const mode = fstatSync(descriptor).mode & 0o777;
      if ((mode & 0o077) !== 0)
        throw new SupplyError(
          "ERR_SUPPLY_KEY",
          `${file} has the mode ${mode.toString(8)}, so others may have the key; make another one, or, where nobody else uses this machine, chmod 600 ${file}`,
        );
      key = createPrivateKey(readFileSync(descriptor));
    } finally {
      closeSync(descriptor);
    }
  } catch (failure) {
    if (failure instanceof SupplyError) throw failure;
    throw new SupplyError(
      "ERR_SUPPLY_KEY",
      `${file} holds no private key that can be read (${messageOf(failure)}); make one with \`coalmine component key ${file}\``,
      { cause: failure },
    );
  }
  return checkKind(key, file);
}

export function publicHalf(key: KeyObject): string {
  return createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
}
