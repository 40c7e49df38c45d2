import type { KeyObject } from "node:crypto";
import { ServiceError } from "../service.ts";
import type { HttpRequest } from "../protocol/http.ts";
import { hmac, sha256, signingKey, type Signature } from "../protocol/sigv4.ts";

/**
 * The framing that SDKs stream uploads in: sizes in hexadecimal before each chunk, trailers after the last, each chunk
 * and the trailers signed where the payload's name says so.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export interface DecodedBody {
  readonly body: Uint8Array;
  readonly trailers: Readonly<Record<string, string>>;
}

const CHUNK_HEADER_BYTES_MAX = 200;
const TRAILERS_BYTES_MAX = 8 * 1024;

export function isAwsChunked(request: HttpRequest): boolean {
  return (
    request.headers["x-amz-content-sha256"]?.startsWith("STREAMING-") === true ||
    request.headers["content-encoding"]?.split(",").some((coding) => coding.trim() === "aws-chunked") === true
  );
}

/** @throws ServiceError for broken framing, a wrong length, or a chunk that its signature does not fit. */
export function decodeAwsChunked(
  request: HttpRequest,
  signature: Signature,
  secretAccessKey: string,
): DecodedBody {
  const source = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength);
  const kind = request.headers["x-amz-content-sha256"] ?? "";
  const chain = kind.startsWith("STREAMING-AWS4-HMAC-SHA256")
    ? new ChunkSignatures(signature, secretAccessKey)
    : undefined;
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = source.indexOf("\r\n", at, "latin1");
    if (end < 0 || end - at > CHUNK_HEADER_BYTES_MAX) throw incomplete();
    const header = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(
      source.toString("latin1", at, end),
    );
    if (header === null) throw incomplete();
    const size = Number.parseInt(header[1] ?? "", 16);
    const data = source.subarray(end + 2, end + 2 + size);
    if (data.length !== size) throw incomplete();
    chain?.check(data, header[2]);
    at = end + 2 + size;
    if (size === 0) break;
    if (source.toString("latin1", at, at + 2) !== "\r\n") throw incomplete();
    at += 2;
    chunks.push(data);
  }
  if (source.length - at > TRAILERS_BYTES_MAX) throw incomplete();
  const trailers = parseTrailers(source.toString("utf8", at));
  if (chain !== undefined && kind.endsWith("-TRAILER")) chain.checkTrailers(trailers);
  const body = Buffer.concat(chunks);
  const announced = request.headers["x-amz-decoded-content-length"];
  if (announced !== undefined && Number(announced) !== body.length) throw incomplete();
  return { body, trailers };
}

function parseTrailers(text: string): Record<string, string> {
  const trailers: Record<string, string> = {};
  for (const line of text.split("\r\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon < 1) throw incomplete();
    trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return trailers;
}

/** Each signature covers the one before, so that chunks can be neither dropped nor swapped. */
class ChunkSignatures {
  readonly #key: KeyObject;
  readonly #context: string;
  #previous: string;

  constructor(signature: Signature, secretAccessKey: string) {
    const { scope } = signature;
    this.#key = signingKey(secretAccessKey, scope);
    this.#context = `${signature.dateText}\n${scope.date}/${scope.region}/${scope.service}/aws4_request`;
    this.#previous = signature.signature;
  }

  check(data: Uint8Array, given: string | undefined): void {
    this.#expect("AWS4-HMAC-SHA256-PAYLOAD", `${sha256("")}\n${sha256(data)}`, given);
  }

  checkTrailers(trailers: Readonly<Record<string, string>>): void {
    const signed = Object.entries(trailers).filter(([name]) => name !== "x-amz-trailer-signature");
    const text = signed.map(([name, value]) => `${name}:${value}\n`).join("");
    this.#expect("AWS4-HMAC-SHA256-TRAILER", sha256(text), trailers["x-amz-trailer-signature"]);
  }

  #expect(algorithm: string, hashes: string, given: string | undefined): void {
    const expected = hmac(this.#key, [algorithm, this.#context, this.#previous, hashes].join("\n")).toString(
      "hex",
    );
    if (given !== expected)
      throw new ServiceError(
        "SignatureDoesNotMatch",
        403,
        "The signature of a chunk does not match its bytes.",
      );
    this.#previous = expected;
  }
}

function incomplete(): ServiceError {
  return new ServiceError(
    "IncompleteBody",
    400,
    "You did not provide the number of bytes specified by the framing of the streamed body.",
  );
}
