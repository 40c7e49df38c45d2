import type { Crypto, Files } from "@coalmine/ports";
import * as z from "zod";
import { SeenNumbers } from "./seen-points.ts";
import { Edge } from "./upload-plan.ts";

const PATH = "checkpoint.json";

/**
 * What the uploader knows of the records up to `through`, so that a start reads only the log behind it, and so that
 * points whose records are uploaded and gone are still known.
 */
const Plan = { edges: z.array(Edge), open: Edge.optional() };
const Checkpoint = z.object({
  version: z.literal(1),
  /** Of the log of readings. */
  epoch: z.string(),
  through: z.number(),
  seen: SeenNumbers,
  /** The plan of the sink `lake` for readings: the one that earlier versions know, which may come back. */
  ...Plan,
  alarms: z.object({ epoch: z.string(), through: z.number() }).optional(),
  lanes: z.array(z.object({ sink: z.string(), stream: z.enum(["readings", "alarms"]), ...Plan })).default([]),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** Replaces the checkpoint; the old or the new one is there after any crash. */
export async function saveCheckpoint(files: Files, crypto: Crypto, checkpoint: Checkpoint): Promise<void> {
  const content = new TextEncoder().encode(JSON.stringify(checkpoint));
  const bytes = new Uint8Array(4 + content.length);
  new DataView(bytes.buffer).setUint32(0, crypto.crc32(content), true);
  bytes.set(content, 4);
  const file = await files.open(`${PATH}.new`, "create");
  try {
    await file.truncate(0);
    await file.write(0, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(`${PATH}.new`, PATH);
  await files.syncFolder("");
}

/** The checkpoint of this epoch; undefined where there is none that is whole. */
export async function loadCheckpoint(
  files: Files,
  crypto: Crypto,
  epoch: string,
): Promise<Checkpoint | undefined> {
  if (!(await files.list("")).includes(PATH)) return undefined;
  const file = await files.open(PATH, "read");
  const bytes = await file.read(0, await file.size());
  await file.close();
  if (bytes.length < 4) return undefined;
  const content = bytes.subarray(4);
  if (crypto.crc32(content) !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true))
    return undefined;
  const parsed = Checkpoint.safeParse(JSON.parse(new TextDecoder().decode(content)));
  return parsed.success && parsed.data.epoch === epoch ? parsed.data : undefined;
}
