import { Person } from "@coalmine/contract/operator-api";
import { roleIn } from "../../api/http/sign-in/groups.ts";
import type { HttpEvent } from "./http-event.ts";

/** Who asks, by what the authorizer has verified; undefined for nobody, or for one in none of the groups. */
export function personOf({ requestContext }: Pick<HttpEvent, "requestContext">): Person | undefined {
  const claims = requestContext.authorizer?.jwt?.claims ?? {};
  const role = roleIn(groupsIn(claims["cognito:groups"]));
  return Person.safeParse({ who: claims["email"] ?? claims["sub"], role }).data;
}

function groupsIn(claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim;
  return typeof claim === "string" ? claim.replace(/^\[|\]$/g, "").split(/[\s,]+/) : [];
}
