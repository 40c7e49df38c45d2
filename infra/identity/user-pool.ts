import { Duration, RemovalPolicy } from "aws-cdk-lib/core";
import {
  AccountRecovery,
  CfnUserPoolGroup,
  FeaturePlan,
  Mfa,
  OAuthScope,
  StandardThreatProtectionMode,
  UserPool,
  UserPoolClient,
} from "aws-cdk-lib/aws-cognito";
import { roles } from "@coalmine/contract/operator-api";
import type { Construct } from "constructs";
import { groupOf } from "../../api/http/sign-in/groups.ts";

const PASSWORD_CHARACTERS_MIN = 14;
/** A shift; then somebody signs in again. */
const SESSION_HOURS = 12;
/** Two pages of one browser may renew a session at the same time. */
const ROTATION_GRACE_SECONDS = 60;

/** The people of a region, by invitation, with a second factor; their groups are the roles of the operators' API. */
export function userPool(scope: Construct): UserPool {
  const pool = new UserPool(scope, "People", {
    selfSignUpEnabled: false,
    signInAliases: { email: true },
    mfa: Mfa.REQUIRED,
    mfaSecondFactor: { otp: true, sms: false },
    passwordPolicy: {
      minLength: PASSWORD_CHARACTERS_MIN,
      requireDigits: true,
      requireLowercase: true,
      requireUppercase: true,
      requireSymbols: true,
      tempPasswordValidity: Duration.days(3),
    },
    accountRecovery: AccountRecovery.EMAIL_ONLY,
    featurePlan: FeaturePlan.PLUS,
    standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  for (const role of roles)
    new CfnUserPoolGroup(scope, `${role}Group`, { userPoolId: pool.userPoolId, groupName: groupOf(role) });
  return pool;
}

/**
 * A program that people of a pool sign in to, of its own stack. `pages`: where a browser comes back to from signing in and
 * out; without them by passwords alone.
 */
export function signedInTo(
  scope: Construct,
  pool: UserPool,
  pages?: { readonly back: string; readonly out: string },
): { readonly client: UserPoolClient; readonly issuer: string } {
  const client = new UserPoolClient(scope, "Client", {
    userPool: pool,
    generateSecret: false,
    preventUserExistenceErrors: true,
    enableTokenRevocation: true,
    authFlows: { userSrp: true },
    accessTokenValidity: Duration.hours(1),
    idTokenValidity: Duration.hours(1),
    refreshTokenValidity: Duration.hours(SESSION_HOURS),
    ...(pages === undefined
      ? { disableOAuth: true }
      : {
          refreshTokenRotationGracePeriod: Duration.seconds(ROTATION_GRACE_SECONDS),
          oAuth: {
            flows: { authorizationCodeGrant: true },
            scopes: [OAuthScope.OPENID, OAuthScope.EMAIL],
            callbackUrls: [pages.back],
            logoutUrls: [pages.out],
          },
        }),
  });
  return {
    client,
    issuer: `https://cognito-idp.${pool.stack.region}.amazonaws.com/${pool.userPoolId}`,
  };
}
