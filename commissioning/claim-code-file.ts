import { ClaimCodeText, type ClaimCode } from "@coalmine/contract/claim-code";
import { type DurableFiles, durableFiles, modes, readIfThere } from "./durable-files.ts";
import { refuseMode } from "./file-modes.ts";
import { CommissioningRefused } from "./refusal.ts";

/** Puts a code where commissioning looks for it: the one file that holds it, its owner's alone. */
export function writeClaimCode(
  path: string,
  code: ClaimCode,
  files: DurableFiles = durableFiles,
): Promise<void> {
  return files.write(path, `${code}\n`, modes.privateKey);
}

/** The code that the technician typed or scanned. @throws CommissioningRefused where there is none that could be one. */
export async function readClaimCode(path: string): Promise<ClaimCode> {
  const text = await readIfThere(path);
  if (text === undefined)
    throw new CommissioningRefused(
      "code-wrong",
      `there is no claim code in ${path}; write the code there that came with this device`,
    );
  await refuseMode(path, modes.privateKey);
  const code = ClaimCodeText.safeParse(text);
  if (code.success) return code.data;
  throw new CommissioningRefused(
    "code-wrong",
    `${path}: ${code.error.issues[0]?.message ?? "this is not a claim code"}; compare it with the paper`,
  );
}
