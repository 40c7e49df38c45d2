import { X509Certificate } from "node:crypto";
import { type DurableFiles, modes, readIfThere } from "./durable-files.ts";
import type { Places } from "./places.ts";
import { CommissioningRefused } from "./refusal.ts";

/** The device needs the authority for good, and what it comes on may be a stick that is pulled. Gives it as PEM. */
export async function keepRootCa(places: Places, from: string, files: DurableFiles): Promise<string> {
  const kept = await readIfThere(places.rootCa);
  if (kept !== undefined) return kept;
  const text = await readIfThere(from);
  if (text === undefined)
    throw new CommissioningRefused(
      "settings",
      `${from} is missing; put Amazon Root CA 1 there, from https://www.amazontrust.com/repository`,
    );
  try {
    void new X509Certificate(text);
  } catch (cause) {
    throw new CommissioningRefused(
      "settings",
      `${from} is no certificate in PEM; take Amazon Root CA 1 again`,
      {
        cause,
      },
    );
  }
  await files.write(places.rootCa, text, modes.certificate);
  return text;
}
