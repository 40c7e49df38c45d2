import { generateKeyPairSync, type JsonWebKey, sign } from "node:crypto";
import type { Clock } from "@coalmine/ports";

/** As Cognito's, unless it is set otherwise. */
const TOKEN_SECONDS = 3600;
const KEY_ID = "local-1";
const KEY_BITS = 2048;

export interface UserPool {
  readonly issuer: string;
  readonly keys: readonly (JsonWebKey & { readonly kid: string })[];
  /** An id token, as a person who has signed in has it. */
  idToken(person: {
    readonly sub: string;
    readonly email: string;
    readonly groups: readonly string[];
  }): string;
}

/**
 * Who has signed in, in place of a user pool: tokens with Cognito's claims, signed by a key of its own. Nobody signs in
 * here. @see https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
 */
export function userPool(options: {
  readonly region: string;
  readonly poolId: string;
  readonly clientId: string;
  readonly clock: Pick<Clock, "now">;
}): UserPool {
  const { region, poolId, clientId, clock } = options;
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: KEY_BITS });
  const issuer = `https://cognito-idp.${region}.amazonaws.com/${poolId}`;
  return {
    issuer,
    keys: [{ ...publicKey.export({ format: "jwk" }), kid: KEY_ID }],
    idToken: ({ sub, email, groups }) => {
      const issued = Math.floor(clock.now() / 1000);
      const claims = {
        sub,
        email,
        "cognito:groups": groups,
        "cognito:username": sub,
        iss: issuer,
        aud: clientId,
        token_use: "id",
        auth_time: issued,
        iat: issued,
        exp: issued + TOKEN_SECONDS,
      };
      const text = `${part({ alg: "RS256", kid: KEY_ID })}.${part(claims)}`;
      return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
    },
  };
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
