import { createServer } from "node:http";
import { crc32 } from "node:zlib";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { HttpRequest } from "../../simulator/cloud/protocol/http.ts";
import { computeSignature, dateTextOf, sha256, signatureOf } from "../../simulator/cloud/protocol/sigv4.ts";
import { type Api, type Clients, clientsOf, kinds } from "./calls.ts";

/** The numbers of a call all have as many digits, so that one stands in its bytes where another stood. */
const FIRST_NAME = 1_000_000;
const FIRST_VALUE = 2_000_000;
const RECORDED_NAME = 1_999_999;
const RECORDED_VALUE = 2_999_999;
const NAMES = 100;
export const names = Array.from({ length: NAMES }, (_, n) => FIRST_NAME + n);

export interface MixedRequest {
  readonly durable: boolean;
  readonly bytes: Buffer;
}

/** Three reads for two writes, over all five services in turn; `serial` counts on through all rounds. */
function drawn(serial: number) {
  const kind = kinds[Math.floor(serial / 5) % kinds.length];
  if (kind === undefined) throw new RangeError("no such kind");
  const durable = serial % 5 >= 3;
  return { kind, durable, name: FIRST_NAME + ((serial * 7) % NAMES), value: FIRST_VALUE + serial };
}

/** By the SDK's client itself. */
export function sendMixed(clients: Clients, serial: number): Promise<unknown> {
  const { kind, durable, name, value } = drawn(serial);
  return (durable ? kind.write : kind.read)(clients, name, value);
}

/**
 * Makes any number of the mix's requests from what the SDK's clients put on the wire for one of each kind: other numbers
 * in the same bytes, signed again over the same headers. They send to a listener that keeps it and answers nothing of use.
 */
export async function mixedRequests(api: Api): Promise<(serial: number) => MixedRequest> {
  const recorded = await record(api);
  return (serial) => {
    const { kind, durable, name, value } = drawn(serial);
    const sample = recorded.get(`${kind.service} ${durable ? "write" : "read"}`) ?? "";
    const text = sample
      .replaceAll(String(RECORDED_NAME), String(name))
      .replaceAll(String(RECORDED_VALUE), String(value));
    return { durable, bytes: signedAgain(text, api) };
  };
}

async function record(api: Api): Promise<Map<string, string>> {
  let last = "";
  const listener = createServer((incoming, outgoing) => {
    const body: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => body.push(chunk));
    incoming.on("end", () => {
      const { method = "", url = "", rawHeaders } = incoming;
      const lines = [`${method} ${url} HTTP/1.1`];
      for (let at = 0; at < rawHeaders.length; at += 2)
        lines.push(`${rawHeaders[at] ?? ""}: ${rawHeaders[at + 1] ?? ""}`);
      last = `${lines.join("\r\n")}\r\n\r\n${Buffer.concat(body).toString("latin1")}`;
      outgoing.writeHead(200, { "content-length": 0 }).end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const clients = clientsOf(api, `http://127.0.0.1:${port}`, 1);
  const recorded = new Map<string, string>();
  try {
    for (const kind of kinds)
      for (const which of ["read", "write"] as const) {
        last = "";
        // That the empty answer is none of the service's is not of interest.
        await kind[which](clients, RECORDED_NAME, RECORDED_VALUE).catch(() => undefined);
        if (last === "") throw new Error(`nothing was sent for a ${which} of ${kind.service}`);
        recorded.set(`${kind.service} ${which}`, last);
      }
  } finally {
    for (const client of Object.values(clients)) client.destroy();
    listener.close();
  }
  return recorded;
}

/** The request with what depends on its bytes and on the time made anew: digests of the body, date, signature. */
function signedAgain(text: string, { secretAccessKey }: Api): Buffer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const [method = "", url = ""] = first.split(" ");
  const body = Buffer.from(text.slice(end + 4), "latin1");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(": ");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2);
  }
  const [rawPath = "", rawQuery = ""] = url.split("?");
  const request: HttpRequest = { method, rawPath, rawQuery, headers, body };
  const signature = signatureOf(request);
  if (signature === undefined) throw new Error(`not signed: ${first}`);
  const dateText = dateTextOf(systemClock.now());
  headers["x-amz-date"] = dateText;
  if (headers["x-amz-content-sha256"] !== undefined) headers["x-amz-content-sha256"] = sha256(body);
  if (headers["x-amz-checksum-crc32"] !== undefined) headers["x-amz-checksum-crc32"] = crcText(body);
  const scope = { ...signature.scope, date: dateText.slice(0, 8) };
  const made = computeSignature(request, { ...signature, scope, dateText }, secretAccessKey);
  headers["authorization"] =
    headers["authorization"]?.replace(signature.scope.date, scope.date).replace(signature.signature, made) ??
    "";
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${first}\r\n${head.join("")}\r\n`, "latin1"), body]);
}

function crcText(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString("base64");
}
