import type { Audit } from "@coalmine/contract/operator-api";

export type ChainFinding =
  | { readonly kind: "whole"; readonly entries: number; readonly head: string }
  | { readonly kind: "broken"; readonly sequence: number };

/** Follows a rollout's log from its first entry, in this browser: whoever asks need not believe the server. */
export async function verifyChain({
  rollout,
  entries,
}: Pick<Audit, "rollout" | "entries">): Promise<ChainFinding> {
  let head = "0".repeat(64);
  for (const [index, { sequence, text, sha256 }] of entries.entries()) {
    const entry = read(text);
    const isWhole =
      sequence === index &&
      (await hashOf(text)) === sha256 &&
      entry["rollout"] === rollout &&
      entry["sequence"] === index;
    if (!isWhole) return { kind: "broken", sequence: index };
    // The one before is not what it was when this one was written.
    if (entry["previous"] !== head) return { kind: "broken", sequence: Math.max(0, index - 1) };
    head = sha256;
  }
  return { kind: "whole", entries: entries.length, head };
}

async function hashOf(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function read(text: string): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(text) };
  } catch {
    return {};
  }
}
