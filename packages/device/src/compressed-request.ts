import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import * as z from "zod";

/** Below this a request gains nothing. */
const COMPRESSED_BYTES_MIN = 4096;
const Request = z.looseObject({
  headers: z.record(z.string(), z.string()),
  body: z.union([z.string(), z.instanceof(Uint8Array)]),
});
const compressed = promisify(gzip);

/** Compresses a large body before it is measured and signed. Only for services that take gzip. */
export async function compressRequest(request: unknown): Promise<void> {
  const { data } = Request.safeParse(request);
  if (data === undefined || Buffer.byteLength(data.body) < COMPRESSED_BYTES_MIN) return;
  // The fastest level: log lines shrink tenfold by it, and a Pi has other things to do.
  const body = await compressed(data.body, { level: constants.Z_BEST_SPEED });
  Object.assign(Object(request), { body, headers: { ...data.headers, "content-encoding": "gzip" } });
}
