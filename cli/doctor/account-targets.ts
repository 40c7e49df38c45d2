import { CoalmineError } from "@coalmine/runtime";
import { names } from "../../infra/identity/identity.ts";
import { Target, targetsOf } from "../../pipeline/target.ts";
import { callerOf, closeAccount, openAccount } from "./account.ts";
import { systemClock } from "@coalmine/runtime/system-clock";

export class AccountError extends CoalmineError {
  readonly code = "ERR_AWS_REGION";
}

/** The buckets that `infra/app.ts` makes in a region of an account. */
export function targetOf(region: string, accountId: string): Target {
  return Target.parse({
    name: "fleet",
    region,
    artifactBucket: `coalmine-artifacts-${region}-${accountId}`,
    lakeBucket: `coalmine-lake-${region}-${accountId}`,
    canaryGroup: names.canaryGroup,
    mainGroup: names.mainGroup,
  });
}

/** The region that was asked for. @throws AccountError where there is none, or it is no region's name */
export function regionOf(
  asked: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const region = asked ?? (environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"]);
  if (region === undefined || region === "")
    throw new AccountError(
      "no region is named; set AWS_REGION, such as eu-central-1, or give --region where a command has it",
    );
  if (!Target.shape.region.safeParse(region).success)
    throw new AccountError(`"${region}" is no region's name; one looks like eu-central-1`);
  return region;
}

/** Where rollouts go: what COALMINE_TARGETS says, or the region's own account by the names that the stacks give. */
export async function targetsOfAccount(
  asked: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Target[]> {
  if (asked === undefined && environment["COALMINE_TARGETS"] !== undefined) return targetsOf(environment);
  const region = regionOf(asked, environment);
  const endpoint = environment["AWS_ENDPOINT_URL"];
  const place = {
    ...targetOf(region, "unknown"),
    ...(endpoint === undefined || endpoint === "" ? {} : { endpoint }),
  };
  const account = openAccount(place, { clock: systemClock, alsoNeeded: [] });
  try {
    const { accountId } = await callerOf(account);
    return [{ ...place, ...targetOf(region, accountId) }];
  } catch {
    // Who nobody knows has no account: the first check says what is wrong.
    return [place];
  } finally {
    closeAccount(account);
  }
}
