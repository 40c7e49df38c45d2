import { messageOf } from "@coalmine/runtime";
import { CredentialsRefused, type CredentialsCache } from "./credentials.ts";

export const CREDENTIALS_PATH = "/2016-11-01/credentialprovider/";

export interface EndpointRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}
export interface EndpointAnswer {
  readonly status: number;
  readonly body: string;
}
export type CredentialsEndpoint = (request: EndpointRequest) => Promise<EndpointAnswer>;

/** What `AWS_CONTAINER_CREDENTIALS_FULL_URI` answers: any component with a token of this device gets credentials. */
export function credentialsEndpoint(
  credentials: CredentialsCache,
  isToken: (token: string) => boolean,
): CredentialsEndpoint {
  return async ({ method, path, authorization }) => {
    if (path !== CREDENTIALS_PATH) return { status: 400, body: "Bad request" };
    if (method !== "GET") return { status: 405, body: "Method not allowed" };
    if (authorization === undefined || !isToken(authorization)) return { status: 403, body: "Forbidden" };
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await credentials.get();
      const answer = {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: expiration,
      };
      return { status: 200, body: JSON.stringify(answer) };
    } catch (failure) {
      return {
        status: failure instanceof CredentialsRefused ? failure.statusCode : 500,
        body: messageOf(failure),
      };
    }
  };
}
