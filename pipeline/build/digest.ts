import { createHash } from "node:crypto";
import { Sha256 } from "@coalmine/contract";

/** SHA-256 as lower-case hexadecimal digits. */
export function sha256(content: Uint8Array | string): Sha256 {
  return Sha256.parse(createHash("sha256").update(content).digest("hex"));
}
