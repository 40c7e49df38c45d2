import type { Crypto } from "@coalmine/ports";
import { modes, readIfThere, writeDurably } from "../durable-files.ts";
import { refuseMode } from "../file-modes.ts";

/** None looks like another. */
const SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const SYMBOLS_A_CODE = 8;

/** The code of the device's page: what the maker put on its label, or one that is made at the first start. */
export async function readPageCode(path: string, crypto: Pick<Crypto, "randomBytes">): Promise<string> {
  const kept = await readIfThere(path);
  if (kept !== undefined) {
    await refuseMode(path, modes.privateKey);
    return kept.trim();
  }
  // There are 32 symbols: each byte gives one, none likelier than another.
  const symbols = [...crypto.randomBytes(SYMBOLS_A_CODE)].map((byte) => SYMBOLS[byte % SYMBOLS.length] ?? "");
  const code = `${symbols.slice(0, 4).join("")}-${symbols.slice(4).join("")}`;
  await writeDurably(path, `${code}\n`, modes.privateKey);
  return code;
}
