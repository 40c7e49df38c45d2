import { escapeUri } from "../protocol/http.ts";
import { computeSignature, dateTextOf } from "../protocol/sigv4.ts";

/** Where an object is, and who lends the right to read it. `now` is on the wall clock, which the door checks by. */
export interface PresignRequest {
  /** The cloud's own endpoint, e.g. `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  readonly expiresSeconds: number;
  readonly now: number;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  };
}

/** A URL that reads one object, for whoever has it, until it expires. */
export function presignGet(request: PresignRequest): string {
  const { credentials, region } = request;
  const dateText = dateTextOf(request.now);
  const scope = { date: dateText.slice(0, 8), region, service: "s3" };
  const rawPath = `/${request.bucket}/${request.key.split("/").map(escapeUri).join("/")}`;
  const query: [string, string][] = [
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", `${credentials.accessKeyId}/${scope.date}/${region}/s3/aws4_request`],
    ["X-Amz-Date", dateText],
    ["X-Amz-Expires", String(request.expiresSeconds)],
    ["X-Amz-SignedHeaders", "host"],
  ];
  if (credentials.sessionToken !== undefined) query.push(["X-Amz-Security-Token", credentials.sessionToken]);
  if (request.versionId !== undefined) query.push(["versionId", request.versionId]);
  const rawQuery = query.map(([name, value]) => `${name}=${escapeUri(value)}`).join("&");
  const signature = computeSignature(
    {
      method: "GET",
      rawPath,
      rawQuery,
      headers: { host: new URL(request.endpoint).host },
      body: new Uint8Array(),
    },
    { scope, signedHeaders: ["host"], dateText, expiresSeconds: request.expiresSeconds },
    credentials.secretAccessKey,
  );
  return `${request.endpoint}${rawPath}?${rawQuery}&X-Amz-Signature=${signature}`;
}
