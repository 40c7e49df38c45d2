import type { HttpRequest } from "./http.ts";
import { computeSignature, dateTextOf, sha256 } from "./sigv4.ts";

export interface ToSign {
  readonly service: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | object | undefined;
}
export interface Signer {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** On the wall clock. */
  readonly now: number;
}

/** A request as an SDK signs it, for tests that say to a cloud what no SDK would. */
export function signedRequest(asked: ToSign, { endpoint, region, credentials, now }: Signer): HttpRequest {
  const { service, method, path, body } = asked;
  const bytes =
    body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const dateText = dateTextOf(now);
  const headers: Record<string, string> = {
    host: new URL(endpoint).host,
    "x-amz-date": dateText,
    "x-amz-content-sha256": sha256(bytes),
    ...asked.headers,
  };
  const signedHeaders = Object.keys(headers).sort();
  const scope = { date: dateText.slice(0, 8), region, service };
  const [rawPath = "", rawQuery = ""] = path.split("?");
  const request = { method, rawPath, rawQuery, headers, body: bytes };
  const signature = computeSignature(
    request,
    { scope, signedHeaders, dateText, expiresSeconds: undefined },
    credentials.secretAccessKey,
  );
  const credential = `${credentials.accessKeyId}/${scope.date}/${region}/${service}/aws4_request`;
  headers["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`;
  return request;
}
