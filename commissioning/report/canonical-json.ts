import { createHash } from "node:crypto";
import { invariant } from "@coalmine/runtime";

/**
 * One text for one value, so that it can be hashed: members sorted by their UTF-16 code units, no blanks, numbers and
 * strings as JavaScript writes them. Members that are undefined are left out.
 * @see https://www.rfc-editor.org/rfc/rfc8785 JSON Canonicalization Scheme
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  invariant(typeof value !== "number" || Number.isFinite(value), `JSON has no ${String(value)}`);
  invariant(typeof value !== "string" || value.isWellFormed(), "a string of half a character has no UTF-8");
  const text: string | undefined = JSON.stringify(value);
  invariant(text !== undefined, `JSON has no ${typeof value}`);
  return text;
}

/** Of bytes, or of a text's UTF-8. */
export function sha256(of: string | Uint8Array): string {
  return createHash("sha256").update(of).digest("hex");
}
