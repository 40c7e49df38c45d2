import { App, Stack } from "aws-cdk-lib/core";
import { CommandPolicies } from "../infra/rollout/command-policies.ts";
import type { PeoplePolicy } from "../infra/rollout/command-may.ts";
import type { Target } from "../pipeline/target.ts";
import type { CompiledStatement } from "../simulator/cloud/iot/policy-document.ts";
import { rolesOf } from "./synthesized-roles.ts";

/** What the synthesized policies let people do who have these, in an account with these targets. */
export function peopleRights(
  targets: readonly [Target, ...Target[]],
): (...policies: readonly PeoplePolicy[]) => CompiledStatement[] {
  const stack = new Stack(new App(), "People");
  const home = targets[0].region;
  new CommandPolicies(stack, "Command", { partition: "aws", accountId: "123456789012", home, targets });
  const rights = rolesOf([stack]);
  return (...policies) =>
    policies.flatMap((policy) =>
      [...rights].flatMap(([path, statements]) =>
        new RegExp(`^People/Command/${policy}\\d*$`).test(path) ? statements : [],
      ),
    );
}
