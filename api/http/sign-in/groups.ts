import { type Role, roles } from "@coalmine/contract/operator-api";

/** The provider's group for a role. */
export const groupOf = (role: Role): string => `coalmine-${role}`;

/** Whoever is in several groups may do what the highest may; who is in none of ours is nobody here. */
export function roleIn(groups: readonly unknown[]): Role | undefined {
  return roles.findLast((role) => groups.includes(groupOf(role)));
}
