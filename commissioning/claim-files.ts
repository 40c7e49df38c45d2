import { X509Certificate } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Clock } from "@coalmine/ports";
import { modes, readIfThere, writeDurably } from "./durable-files.ts";
import type { Places } from "./places.ts";
import { CommissioningRefused } from "./refusal.ts";

/** Refuses a claim that is not there, that others can read, or that is over, before anything is sent. */
export async function checkClaim({ claim }: Places, clock: Clock): Promise<void> {
  const [certificate, privateKey, rootCa] = await Promise.all(
    [claim.certificate, claim.privateKey, claim.rootCa].map(readIfThere),
  );
  const missing = Object.entries({
    [claim.certificate]: certificate,
    [claim.privateKey]: privateKey,
    [claim.rootCa]: rootCa,
  })
    .filter(([, text]) => text === undefined)
    .map(([path]) => path);
  if (missing.length > 0)
    throw new CommissioningRefused(
      "settings",
      `the claim is not whole: ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing; copy the claim's folder again`,
    );
  const mode = (await stat(claim.privateKey)).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new CommissioningRefused(
      "file-modes",
      `${claim.privateKey} has the mode ${mode.toString(8)}: others on this machine can read it; \`chmod 600\` it, and ask for a new claim if others work here`,
    );
  const read = certificateOf(certificate ?? "", claim.certificate);
  const now = clock.now();
  if (read.validToDate.getTime() < now)
    throw new CommissioningRefused(
      "claim-expired",
      `the claim was good until ${read.validToDate.toISOString()}, and it is ${new Date(now).toISOString()}; ask for a new claim`,
    );
  if (read.validFromDate.getTime() > now)
    throw new CommissioningRefused(
      "clock-off",
      `the claim is good from ${read.validFromDate.toISOString()} on, and the clock says ${new Date(now).toISOString()}; set the clock`,
    );
}

/** The device needs the authority for good, and the claim's folder may be a stick that is pulled. */
export async function keepRootCa(places: Places): Promise<void> {
  if ((await readIfThere(places.rootCa)) !== undefined) return;
  const text = await readIfThere(places.claim.rootCa);
  if (text === undefined)
    throw new CommissioningRefused(
      "settings",
      `${places.claim.rootCa} is missing; copy the claim's folder again`,
    );
  await writeDurably(places.rootCa, text, modes.certificate);
}

function certificateOf(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CommissioningRefused(
      "settings",
      `${path} is no certificate in PEM; copy the claim's folder again`,
      { cause },
    );
  }
}
