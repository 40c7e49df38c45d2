import { CfnManagedPolicy } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { documentOf, inParts, policyCharactersMax } from "../policies/granted-role.ts";
import { commandMay, type PeoplePolicy } from "./command-may.ts";
import type { Where } from "./may.ts";

/** The names that whoever gives people their rights looks for. */
export const peoplePolicies: Readonly<
  Record<PeoplePolicy, { readonly name: string; readonly what: string }>
> = {
  viewers: {
    name: "CoalmineViewers",
    what: "Sees rollouts, fleets, devices and the audit log by the command",
  },
  operators: { name: "CoalmineOperators", what: "Decides on rollouts, who sees them too" },
  commissioners: {
    name: "CoalmineCommissioners",
    what: "Makes codes for devices and takes devices out, who sees them too",
  },
  doctors: {
    name: "CoalmineDoctors",
    what: "Examines the account by coalmine doctor, which changes nothing",
  },
  installers: { name: "CoalmineInstallers", what: "Publishes and deploys a fleet's first release" },
};

/**
 * What people may do by the command line, as policies: who they are is said where an account has its people, by a
 * permission set, a group or a role that these are attached to. What one has no room for stands in a second one.
 */
export class CommandPolicies extends Construct {
  constructor(scope: Construct, id: string, where: Where) {
    super(scope, id);
    const may = commandMay(where);
    for (const key of Object.keys(peoplePolicies) as PeoplePolicy[]) {
      const { name, what } = peoplePolicies[key];
      for (const [index, statements] of inParts(may[key], policyCharactersMax.managed).entries()) {
        const ending = index === 0 ? "" : String(index + 1);
        new CfnManagedPolicy(this, `${key}${ending}`, {
          managedPolicyName: `${name}${ending}`,
          description: what,
          policyDocument: documentOf(statements),
        });
      }
    }
  }
}
