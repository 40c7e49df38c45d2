import type { Cloud } from "../simulator/cloud/cloud.ts";
import type { CompiledStatement } from "../simulator/cloud/iot/policy-document.ts";
import { type Caller, type Input, ServiceError } from "../simulator/cloud/service.ts";
import { questionsAt } from "./recorded-calls.ts";
import { mayAsk } from "./synthesized-roles.ts";

const where = { region: "us-east-1", accountId: "123456789012" };

/** A local cloud that refuses what the policies of whoever calls do not allow, as AWS would. */
export interface EnforcedRights {
  /** The environment of somebody with these rights, for an hour of the cloud's clock; what they call is written down. */
  signIn(person: string, rights: readonly CompiledStatement[]): Promise<Record<string, string>>;
  /** Actions that this person was allowed, by what IAM calls them. */
  done(person: string): ReadonlySet<string>;
}

export function enforceRights(cloud: Cloud): EnforcedRights {
  const people = new Map<string, { rights: readonly CompiledStatement[]; done: Set<string> }>();
  const check = (signedFor: string, operation: string, input: Input, { identity }: Caller): void => {
    const arn = identity.kind === "account" ? identity.principalArn : "";
    const person = people.get(arn.slice(arn.lastIndexOf("/") + 1));
    if (person === undefined) return;
    for (const question of questionsAt(signedFor, operation, input, where)) {
      const { action, resources } = question;
      if (!mayAsk(person.rights, question))
        throw new ServiceError(
          signedFor === "s3" ? "AccessDenied" : "AccessDeniedException",
          403,
          `User: ${arn} is not authorized to perform: ${action} on resource: ${resources.join(" ")}`,
        );
      person.done.add(action);
    }
  };
  for (const { signingName, operations } of cloud.services.values())
    Object.assign(
      operations,
      Object.fromEntries(
        Object.entries(operations).map(([name, run]) => [
          name,
          (input: Input, caller: Caller) => {
            check(signingName, name, input, caller);
            return run(input, caller);
          },
        ]),
      ),
    );
  return {
    signIn: async (person, rights) => {
      people.set(person, { rights, done: people.get(person)?.done ?? new Set() });
      const { Credentials } = (await cloud.invoke("sts", "AssumeRole", {
        RoleArn: `arn:aws:iam::${where.accountId}:role/People`,
        RoleSessionName: person,
      })) as { Credentials: Record<"AccessKeyId" | "SecretAccessKey" | "SessionToken", string> };
      return {
        AWS_ACCESS_KEY_ID: Credentials.AccessKeyId,
        AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey,
        AWS_SESSION_TOKEN: Credentials.SessionToken,
      };
    },
    done: (person) => people.get(person)?.done ?? new Set(),
  };
}
