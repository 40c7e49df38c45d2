import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import { escapeUri, queryPairs, type HttpRequest } from "./http.ts";

/** AWS Signature Version 4. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export interface Signature {
  readonly accessKeyId: string;
  /** yyyymmdd/region/service/aws4_request */
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly dateText: string;
  readonly sessionToken: string | undefined;
  /** Seconds of life from the date; only a pre-signed URL has it. */
  readonly expiresSeconds: number | undefined;
}

export interface Scope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
const algorithm = "AWS4-HMAC-SHA256";
const authorization = new RegExp(
  `^${algorithm}\\s+Credential=([^,\\s]+),\\s*SignedHeaders=([^,\\s]+),\\s*Signature=([0-9a-f]{64})$`,
);

/** What the request says of its own signature, in its header or its query; undefined where it has none. */
export function signatureOf(request: HttpRequest): Signature | undefined {
  const header = request.headers["authorization"];
  if (header === undefined) return presignedSignatureOf(request);
  const match = authorization.exec(header);
  const credential = match?.[1] === undefined ? undefined : credentialOf(match[1]);
  const dateText = request.headers["x-amz-date"];
  if (!match || credential === undefined || dateText === undefined) return undefined;
  return {
    ...credential,
    signedHeaders: (match[2] ?? "").split(";"),
    signature: match[3] ?? "",
    dateText,
    sessionToken: request.headers["x-amz-security-token"],
    expiresSeconds: undefined,
  };
}

function presignedSignatureOf(request: HttpRequest): Signature | undefined {
  const query = new Map(queryPairs(request.rawQuery));
  const credential = credentialOf(query.get("X-Amz-Credential") ?? "");
  const dateText = query.get("X-Amz-Date");
  if (query.get("X-Amz-Algorithm") !== algorithm || credential === undefined || dateText === undefined)
    return undefined;
  return {
    ...credential,
    signedHeaders: (query.get("X-Amz-SignedHeaders") ?? "").split(";"),
    signature: query.get("X-Amz-Signature") ?? "",
    dateText,
    sessionToken: query.get("X-Amz-Security-Token"),
    expiresSeconds: Number(query.get("X-Amz-Expires") ?? Number.NaN),
  };
}

function credentialOf(text: string): Pick<Signature, "accessKeyId" | "scope"> | undefined {
  const parts = text.split("/");
  const [accessKeyId, date, region, service, end] = parts;
  if (!accessKeyId || !date || !region || !service || end !== "aws4_request" || parts.length !== 5)
    return undefined;
  return { accessKeyId, scope: { date, region, service } };
}

/** `20260102T030405Z` as an instant; NaN where it is not one. */
export function instantOf(dateText: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(dateText);
  return match
    ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`)
    : Number.NaN;
}

export function dateTextOf(instant: number): string {
  return new Date(instant).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}

/** Whether `secretAccessKey` made this signature of this request. The payload itself is `checkPayload`'s matter. */
export function isSignedBy(request: HttpRequest, signature: Signature, secretAccessKey: string): boolean {
  const expected = Buffer.from(computeSignature(request, signature, secretAccessKey), "latin1");
  const given = Buffer.from(signature.signature, "latin1");
  return expected.length === given.length && timingSafeEqual(expected, given);
}

export function computeSignature(
  request: HttpRequest,
  signature: Pick<Signature, "scope" | "signedHeaders" | "dateText" | "expiresSeconds">,
  secretAccessKey: string,
): string {
  const { scope } = signature;
  const canonical = [
    request.method,
    canonicalPath(request.rawPath, scope.service),
    canonicalQuery(request.rawQuery),
    ...signature.signedHeaders.map((name) => `${name}:${canonicalHeader(request, name)}`),
    "",
    signature.signedHeaders.join(";"),
    payloadHashOf(request, signature.expiresSeconds !== undefined),
  ].join("\n");
  const toSign = [
    algorithm,
    signature.dateText,
    `${scope.date}/${scope.region}/${scope.service}/aws4_request`,
    sha256(canonical),
  ].join("\n");
  return hmac(signingKey(secretAccessKey, scope), toSign).toString("hex");
}

/** Keys that are remembered: callers sign with the same one all day. */
const SIGNING_KEYS_MAX = 100;
const signingKeys = new Map<string, KeyObject>();

/** Also the key that chunks of a signed stream are signed with. */
export function signingKey(secretAccessKey: string, { date, region, service }: Scope): KeyObject {
  const name = JSON.stringify([secretAccessKey, date, region, service]);
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const bytes = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), region), service), "aws4_request");
  const key = createSecretKey(bytes);
  if (signingKeys.size >= SIGNING_KEYS_MAX) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

/** Whether the body is the one that was signed; streamed bodies are checked where they are decoded. */
export function isPayloadAsSigned(request: HttpRequest): boolean {
  const named = request.headers["x-amz-content-sha256"];
  return named === undefined || !/^[0-9a-f]{64}$/.test(named) || named === sha256(request.body);
}

function payloadHashOf(request: HttpRequest, presigned: boolean): string {
  return request.headers["x-amz-content-sha256"] ?? (presigned ? UNSIGNED_PAYLOAD : sha256(request.body));
}

function canonicalHeader({ headers }: HttpRequest, name: string): string {
  return Object.hasOwn(headers, name) ? (headers[name] ?? "").trim().replaceAll(/\s+/g, " ") : "";
}

/** S3 signs the path as it travels; every other service encodes it once more. */
function canonicalPath(rawPath: string, service: string): string {
  return service === "s3" || plainPath.test(rawPath) ? rawPath : escapeUri(rawPath).replaceAll("%2F", "/");
}

/** What encoding leaves as it is. */
const plainPath = /^[\w.~/-]*$/;

function canonicalQuery(rawQuery: string): string {
  if (rawQuery === "") return "";
  return queryPairs(rawQuery)
    .filter(([key]) => key !== "X-Amz-Signature")
    .map(([key, value]): [string, string] => [escapeUri(key), escapeUri(value)])
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([key, value]) => `${key}=${value}`)
    .join("&");
}

export function sha256(bytes: Uint8Array | string): string {
  return hash("sha256", bytes);
}

export function hmac(key: KeyObject | Uint8Array | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
