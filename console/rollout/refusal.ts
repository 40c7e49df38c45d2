import type { Age, Choice, Decision, Role } from "@coalmine/contract/operator-api";
import type { Texts } from "../texts/en.ts";

/** The letter of each decision; `?` lists them. */
export const decisionKeys: readonly (readonly [Decision, string])[] = [
  ["promote", "p"],
  ["hold", "h"],
  ["resume", "c"],
  ["rollback", "r"],
];

interface Seen {
  readonly role: Role;
  /** Nothing has come from the server for too long. */
  readonly isCut: boolean;
  /** Target → of its newest evidence. */
  readonly seen: Readonly<Record<string, Age>>;
}

/** Why a decision cannot be made here and now; undefined where it can. The API has the last word. */
export function refusalOf(
  { decision, refusedBecause }: Pick<Choice, "decision" | "refusedBecause">,
  { role, isCut, seen }: Seen,
  { decide, roles }: Pick<Texts, "decide" | "roles">,
): { readonly sentence: string; readonly lang?: "en" } | undefined {
  if (role === "viewer" || role === "technician") return { sentence: decide.needsRole(roles[role]) };
  if (isCut) return { sentence: decide.quiet };
  const stale = Object.entries(seen).flatMap(([target, { stale }]) => (stale ? [target] : []));
  if (decision === "promote" && stale.length > 0) return { sentence: decide.stale(stale.join(", ")) };
  return refusedBecause === undefined ? undefined : { sentence: refusedBecause, lang: "en" };
}
