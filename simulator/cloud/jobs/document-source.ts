import { invalid } from "../iot/operation.ts";
import { ServiceError } from "../service.ts";

/** An object of S3 as a job's document; rejects with S3's own refusal. */
export type ReadObject = (bucket: string, key: string) => Promise<Uint8Array>;

/** The document itself, or the one at the source: exactly one of them is given. */
export async function documentOf(
  {
    document,
    documentSource: source,
  }: { readonly document?: string | null | undefined; readonly documentSource?: string | null | undefined },
  readObject: ReadObject,
): Promise<string> {
  const hasDocument = typeof document === "string";
  if (hasDocument === (typeof source === "string")) throw invalid("Give either document or documentSource.");
  return hasDocument ? document : readDocument(source ?? "", readObject);
}

/** The text at `s3://BUCKET/KEY`, or at an object's URL with the bucket in its host or its path. */
async function readDocument(source: string, readObject: ReadObject): Promise<string> {
  const { bucket, key } = placeOf(source);
  try {
    return Buffer.from(await readObject(bucket, key)).toString("utf8");
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    throw invalid(`The job document ${source} cannot be read: ${failure.message}`);
  }
}

function placeOf(source: string): { readonly bucket: string; readonly key: string } {
  const url = URL.canParse(source) ? new URL(source) : undefined;
  const [first = "", ...rest] = (url?.pathname ?? "").slice(1).split("/").map(decodeURIComponent);
  const host = url?.protocol === "s3:" ? url.host : /^(.+)\.s3[.-]/.exec(url?.host ?? "")?.[1];
  const [bucket, key] = host === undefined ? [first, rest.join("/")] : [host, [first, ...rest].join("/")];
  if (bucket === "" || key === "") throw invalid(`${source} is no object of S3: give s3://BUCKET/KEY.`);
  return { bucket, key };
}
