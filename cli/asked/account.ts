import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { clientSettings, type Target, targetsOf } from "../../pipeline/target.ts";
import { regionOf, targetOf } from "../doctor/account-targets.ts";
import { exitCodes } from "../exit-codes.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export class AccountError extends CoalmineError {
  readonly code: "ERR_AWS_CREDENTIALS" | "ERR_AWS_ACCOUNT" | "ERR_AWS_DENIED";
  constructor(code: AccountError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An account, and who asks it by the credentials of the environment. */
export interface AskedAccount {
  readonly targets: readonly [Target, ...Target[]];
  readonly accountId: string;
  readonly who: string;
}

/** Whether the environment names an account: where rollouts go, or the account alone. */
export function namesAccount(environment: Environment): boolean {
  return (set(environment, "COALMINE_TARGETS") ?? set(environment, "COALMINE_ACCOUNT")) !== undefined;
}

/**
 * The account that the environment names, once it is sure that its credentials open that one: in another account the
 * tables are missing or, worse, are another fleet's. @throws AccountError
 */
export async function askedAccount(environment: Environment): Promise<AskedAccount> {
  const [home, ...others] = targetsIn(environment);
  const { accountId, arn } = await callerIn(home);
  const named = set(environment, "COALMINE_ACCOUNT");
  if (named !== undefined && named !== accountId)
    throw new AccountError(
      "ERR_AWS_ACCOUNT",
      `the credentials are of account ${accountId} (${arn}), and COALMINE_ACCOUNT is ${named}; choose the profile of that account, or correct the variable`,
    );
  return { targets: [home, ...others], accountId, who: whoIs(arn) };
}

/** A refusal of AWS, with which of the account's policies is missing; any other failure as it is. */
export function inOurWords(failure: unknown): unknown {
  return exitCodes.of(failure) === exitCodes.permission && !(failure instanceof CoalmineError)
    ? new AccountError(
        "ERR_AWS_DENIED",
        `AWS refuses this: ${messageOf(failure)}. The account has policies for people: CoalmineViewers to look, CoalmineOperators to decide, CoalmineCommissioners for devices that come and go, CoalmineInstallers for a first release; have the one that this takes attached to your role`,
        { cause: failure },
      )
    : failure;
}

function targetsIn(environment: Environment): [Target, ...Target[]] {
  if (set(environment, "COALMINE_TARGETS") !== undefined) return targetsOf(environment);
  const endpoint = set(environment, "AWS_ENDPOINT_URL");
  const target = targetOf(regionOf(undefined, environment), set(environment, "COALMINE_ACCOUNT") ?? "");
  return [{ ...target, ...(endpoint === undefined ? {} : { endpoint }) }];
}

async function callerIn(home: Target): Promise<{ accountId: string; arn: string }> {
  const sts = new STSClient(clientSettings(home));
  try {
    const { Account: accountId = "", Arn: arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
    return { accountId, arn };
  } catch (failure) {
    if (exitCodes.of(failure) !== exitCodes.permission) throw failure;
    throw new AccountError(
      "ERR_AWS_CREDENTIALS",
      `the credentials of this environment open no account (${messageOf(failure)}); sign in with \`aws sso login\`, or name a profile in AWS_PROFILE`,
      { cause: failure },
    );
  } finally {
    sts.destroy();
  }
}

/** A person by the last part of who they are to AWS: of an SSO session the address that the console knows them by too. */
function whoIs(arn: string): string {
  return arn.slice(Math.max(arn.lastIndexOf("/"), arn.lastIndexOf(":")) + 1);
}

/** A variable that is empty is not set. */
function set(environment: Environment, name: string): string | undefined {
  return environment[name] === "" ? undefined : environment[name];
}
