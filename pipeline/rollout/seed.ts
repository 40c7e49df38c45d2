import { createHash } from "node:crypto";

/** The commitment to a seed, published before the draw, so that nobody can choose a draw afterwards. */
export function seedHashOf(seed: string): string {
  return createHash("sha256").update(`coalmine draw\n${seed}`).digest("hex");
}
