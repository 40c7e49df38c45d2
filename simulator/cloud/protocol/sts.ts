import { ServiceError, type Caller, type Service } from "../service.ts";

/** Gives out credentials that take on a role; `expiration` is what the SDK is told, on the wall clock. */
export type IssueRoleCredentials = (
  roleArn: string,
  sessionName: string,
  durationSeconds: number,
  caller: Caller,
) => { accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: Date };

export function stsService(accountId: string, issue: IssueRoleCredentials): Service {
  return {
    signingName: "sts",
    operations: {
      GetCallerIdentity: (_input, caller) => ({
        Arn: arnOf(caller, accountId),
        UserId: userIdOf(caller),
        Account: accountId,
      }),
      AssumeRole: (input, caller) => {
        const roleArn = String(input.RoleArn ?? "");
        const sessionName = String(input.RoleSessionName ?? "");
        const seconds = Number(input.DurationSeconds ?? 3600);
        if (!new RegExp(`^arn:aws:iam::${accountId}:role/[\\w+=,.@/-]{1,512}$`).test(roleArn))
          throw new ServiceError(
            "AccessDenied",
            403,
            `${arnOf(caller, accountId)} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
          );
        if (caller.identity.kind !== "account")
          throw new ServiceError("AccessDenied", 403, "Only the account's operator may assume a role here.");
        if (!/^[\w+=,.@-]{2,64}$/.test(sessionName))
          throw new ServiceError("ValidationError", 400, "RoleSessionName must be 2 to 64 of [\\w+=,.@-].");
        if (!(seconds >= 900 && seconds <= 43_200))
          throw new ServiceError("ValidationError", 400, "DurationSeconds must be from 900 to 43200.");
        const credentials = issue(roleArn, sessionName, seconds, caller);
        return {
          Credentials: {
            AccessKeyId: credentials.accessKeyId,
            SecretAccessKey: credentials.secretAccessKey,
            SessionToken: credentials.sessionToken,
            Expiration: credentials.expiration,
          },
          AssumedRoleUser: {
            AssumedRoleId: `AROA${credentials.accessKeyId.slice(4)}:${sessionName}`,
            Arn: `${roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${sessionName}`,
          },
        };
      },
    },
  };
}

function arnOf(caller: Caller, accountId: string): string {
  const { identity } = caller;
  if (identity.kind === "account") return identity.principalArn;
  if (identity.kind === "device") return `arn:aws:iot::${accountId}:cert/${identity.certificateId}`;
  return `${identity.roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${identity.thingName}`;
}

function userIdOf(caller: Caller): string {
  const { identity } = caller;
  return identity.kind === "account"
    ? "AIDACOALMINE"
    : identity.kind === "role"
      ? `AROACOALMINE:${identity.thingName}`
      : identity.certificateId;
}
