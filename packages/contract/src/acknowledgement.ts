import * as z from "zod";
import { BatchId } from "./measurement.ts";

/**
 * stream-uploader says on `topics.acknowledgements` which batches it is done with: every point of them is durable (or
 * was already), or was refused for good. A publisher keeps a batch, and publishes it again, until it is named here.
 */
export const Acknowledgement = z.object({
  version: z.literal(1),
  durable: z.array(BatchId).max(1000),
  refused: z.array(z.object({ batch: BatchId, reason: z.string().max(500) })).max(1000),
});
export type Acknowledgement = z.infer<typeof Acknowledgement>;
