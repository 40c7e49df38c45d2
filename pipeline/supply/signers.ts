import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { SupplyError } from "./supply-error.ts";

/** Where whoever publishes and whoever deploys find the list. */
export const SIGNERS_VARIABLE = "COALMINE_SIGNERS";

/** Whose signatures count: key id → public key. */
export type Signers = ReadonlyMap<string, KeyObject>;

/**
 * The trusted keys as a file or a parameter has them. A new key is added before it signs, and an old one is taken out
 * once nothing that runs is signed by it alone.
 */
const SignersFile = z.strictObject({
  version: z.literal(1),
  signers: z
    .array(z.strictObject({ who: z.string().min(1).max(200), publicKey: z.string().max(2000) }))
    .min(1)
    .max(20),
});
export type SignersFile = z.infer<typeof SignersFile>;

export function readSigners(text: string, from: string): Signers {
  try {
    return new Map(
      SignersFile.parse(JSON.parse(text)).signers.map(({ publicKey }) => {
        const key = checkKind(createPublicKey(publicKey), from);
        return [keyIdOf(key), key];
      }),
    );
  } catch (failure) {
    if (failure instanceof SupplyError) throw failure;
    throw new SupplyError(
      "ERR_SUPPLY_KEY",
      `${from} is no list of trusted keys; write {"version":1,"signers":[{"who":…,"publicKey":…}]} with what \`coalmine component key\` printed`,
      { cause: failure },
    );
  }
}

/**
 * Those that `COALMINE_SIGNERS` names, the list itself or a file of it; without it nothing has to be signed. It is set
 * for whoever deploys, never by what is deployed.
 */
export function signersOf(environment: Readonly<Record<string, string | undefined>>): Signers | undefined {
  const given = environment[SIGNERS_VARIABLE];
  return given === undefined ? undefined : readSigners(signersText(given), SIGNERS_VARIABLE);
}

/** The list that is given, by itself or by its file, checked and in as few bytes as an environment wants it. */
export function signersText(given: string): string {
  const isList = given.trimStart().startsWith("{");
  const text = isList ? given : textOfFile(given);
  readSigners(text, isList ? "the list that is given" : given);
  return JSON.stringify(JSON.parse(text));
}

export function readSignersFile(file: string): Signers {
  return readSigners(textOfFile(file), file);
}

function textOfFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (failure) {
    throw new SupplyError(
      "ERR_SUPPLY_KEY",
      `the trusted keys cannot be read from ${JSON.stringify(file)} (${messageOf(failure)}); name the file that lists them`,
      { cause: failure },
    );
  }
}

/** SHA-256 of the public key in DER (SPKI), in hexadecimal digits. */
export function keyIdOf(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** Ed25519, or ECDSA on P-256 as key stores and cards have it. */
export function checkKind(key: KeyObject, from: string): KeyObject {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === "ed25519" || (key.asymmetricKeyType === "ec" && curve === "prime256v1"))
    return key;
  throw new SupplyError(
    "ERR_SUPPLY_KEY",
    `${from} holds a key of the kind ${key.asymmetricKeyType ?? "unknown"}${curve === undefined ? "" : ` ${curve}`}; take Ed25519 or ECDSA on P-256`,
  );
}
