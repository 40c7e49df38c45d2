import { randomInt } from "node:crypto";
import { type ClaimCode, codeId, newClaimCode } from "@coalmine/contract/claim-code";
import * as z from "zod";
import { ApiError } from "../api-error.ts";
import { parseInput } from "../api.ts";
import type { ClaimCloud } from "./claim-cloud.ts";
import { Allowed, putCode } from "./claim-record.ts";

const HOUR_MS = 3_600_000;
/** Of a million ids, however many are taken. */
const ID_ATTEMPTS_MAX = 20;

export const MintInput = Allowed.extend({
  who: z.string().trim().min(1).max(128),
  /** Each code makes one device. */
  count: z.int().min(1).max(1000).default(1),
  ttlHours: z
    .number()
    .positive()
    .max(30 * 24)
    .default(72),
});

export interface MintedCode extends Allowed {
  /** Told this once: what is kept of it is a hash. */
  readonly code: ClaimCode;
  /** By which it is spoken of in histories and alarms. */
  readonly id: string;
  readonly expiresAt: string;
}

/** One-time codes by which devices become part of the fleet. @throws ApiError where they cannot be made. */
export async function mintCodes(cloud: ClaimCloud, input: z.input<typeof MintInput>): Promise<MintedCode[]> {
  const { who, count, ttlHours, ...allowed } = parseInput(MintInput, input);
  if (count > 1 && (allowed.serial !== undefined || allowed.hardwareId !== undefined))
    throw new ApiError(
      "ERR_API_INPUT",
      `${count} codes cannot be for the one device ${allowed.serial ?? allowed.hardwareId ?? ""}; leave serial and hardware id out, or ask for one code`,
    );
  const expiresMs = Math.floor(cloud.clock.now() + ttlHours * HOUR_MS);
  const minted: MintedCode[] = [];
  for (let made = 0; made < count; made++) {
    const code = await mintOne(cloud, { allowed, mintedBy: who, expiresMs });
    minted.push({ ...allowed, code, id: codeId(code), expiresAt: new Date(expiresMs).toISOString() });
  }
  return minted;
}

async function mintOne(cloud: ClaimCloud, record: Parameters<typeof putCode>[2]): Promise<ClaimCode> {
  for (let attempt = 0; attempt < ID_ATTEMPTS_MAX; attempt++) {
    const code = newClaimCode(randomInt);
    if (await putCode(cloud, code, record)) return code;
  }
  throw new ApiError(
    "ERR_API_CONFLICT",
    `${ID_ATTEMPTS_MAX} new codes met ids that are taken: nearly a million codes are alive; wait until old ones are over`,
  );
}
