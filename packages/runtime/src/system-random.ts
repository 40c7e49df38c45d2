import { randomBytes } from "node:crypto";
import type { Random } from "@coalmine/ports";

/** Chance from the operating system. Built by `main.ts` alone. */
export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};
