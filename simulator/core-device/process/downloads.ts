import { request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { rootCertificates } from "node:tls";
import type { S3Client } from "@aws-sdk/client-s3";
import { messageOf } from "@coalmine/runtime";
import type { Credentials } from "../credentials/credentials.ts";
import { DataPlaneError } from "../ports.ts";

/** Without a byte for so long a download is given up, and tried again by whoever asked. */
const SILENCE_MS = 30_000;

interface DownloadOptions {
  readonly region: string;
  /** The device's own root certificates, trusted beside the public ones. */
  readonly rootCa: string;
  /** Set where S3 is not AWS's own; its buckets are then in the path. */
  readonly s3Endpoint: string | undefined;
  readonly credentials: () => Promise<Credentials>;
}

/** The bytes behind a pre-signed URL, or behind `s3://bucket/key` by the device's own role. */
export function downloads(options: DownloadOptions): {
  get(url: string): Promise<Uint8Array>;
  close(): void;
} {
  let agent: Agent | undefined;
  let s3: Promise<S3Client> | undefined;
  return {
    get(url) {
      if (!url.startsWith("s3://")) return fetchBytes(url, (agent ??= agentOf(options.rootCa)));
      s3 ??= s3Client(options);
      return getObject(s3, url);
    },
    close() {
      agent?.destroy();
      // It was made by then, or nothing waits for it any more.
      void s3?.then((client) => client.destroy());
    },
  };
}

/** Made when it is needed: the public certificates are a megabyte. */
function agentOf(rootCa: string): Agent {
  return new Agent({ ca: [...rootCertificates, rootCa], keepAlive: true });
}

/** Loaded when it is needed: it is a fifth of what a core device weighs. */
async function s3Client({ region, s3Endpoint, credentials }: DownloadOptions): Promise<S3Client> {
  const { S3Client: Client } = await import("@aws-sdk/client-s3");
  return new Client({
    region,
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint, forcePathStyle: true }),
    credentials: async () => {
      const { expiration, ...given } = await credentials();
      return { ...given, expiration: new Date(expiration) };
    },
  });
}

async function getObject(loading: Promise<S3Client>, url: string): Promise<Uint8Array> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
  if (Bucket === undefined || Key === undefined)
    throw new DataPlaneError(400, `${url} is not s3://bucket/key`);
  const { GetObjectCommand, S3ServiceException } = await import("@aws-sdk/client-s3");
  try {
    const s3 = await loading;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    if (Body === undefined) throw new DataPlaneError(500, `${url} has no body`);
    return await Body.transformToByteArray();
  } catch (failure) {
    if (failure instanceof DataPlaneError) throw failure;
    const status = failure instanceof S3ServiceException ? (failure.$metadata.httpStatusCode ?? 0) : 0;
    throw new DataPlaneError(status, `${url}: ${messageOf(failure)}`);
  }
}

function fetchBytes(url: string, agent: Agent): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // The query holds the signature: it is nobody's business in a log.
    const name = url.split("?")[0] ?? url;
    const offline = (failure: Error): void => reject(new DataPlaneError(0, `${name}: ${failure.message}`));
    const asking = url.startsWith("https:") ? httpsRequest(url, { agent }) : httpRequest(url);
    asking.setTimeout(SILENCE_MS, () => asking.destroy(new Error(`silent for ${SILENCE_MS} ms`)));
    asking.on("error", offline);
    asking.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", offline);
      response.on("aborted", () => offline(new Error("the connection was cut")));
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        if (status === 200 || status === 206) resolve(Buffer.concat(chunks));
        else reject(new DataPlaneError(status, `${name} answered ${status}`));
      });
    });
    asking.end();
  });
}
