import { Person, roles } from "@coalmine/contract/operator-api";
import type { HttpEvent } from "./http-event.ts";

/** The groups of the user pool: one for each role. */
export const groupOf = (role: (typeof roles)[number]): string => `coalmine-${role}`;

/** Who asks, by what the authorizer has verified; undefined for nobody, or for one in none of the groups. */
export function personOf({ requestContext }: Pick<HttpEvent, "requestContext">): Person | undefined {
  const claims = requestContext.authorizer?.jwt?.claims ?? {};
  const groups = groupsIn(claims["cognito:groups"]);
  // Whoever is in several may do what the highest may.
  const role = roles.findLast((one) => groups.includes(groupOf(one)));
  return Person.safeParse({ who: claims["email"] ?? claims["sub"], role }).data;
}

function groupsIn(claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim;
  return typeof claim === "string" ? claim.replace(/^\[|\]$/g, "").split(/[\s,]+/) : [];
}
