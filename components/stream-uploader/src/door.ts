import { BatchId, type Measurement, MeasurementBatch } from "@coalmine/contract";
import type { LocalMessage } from "@coalmine/ports";
import * as z from "zod";

/** A batch that may come in, or why it may not. `batch` is its name where one could be read. */
export type AtTheDoor =
  | { readonly kind: "batch"; readonly batch: string; readonly points: readonly Measurement[] }
  | {
      readonly kind: "refused";
      readonly batch: string | undefined;
      readonly points: number;
      readonly reason: string;
    };

/** Every point passes here: compiled, its schema takes a third of the time. */
const Batch = z.compile(MeasurementBatch);
const INT32_MAX = 0x7fff_ffff;
/** Days that a key can name: 1970-01-01 to 9999-12-31. */
const LATEST_MS = Date.UTC(10_000, 0, 1) - 1;
const REASON_LENGTH_MAX = 400;

/** Looks at a message once; behind this door every point is what the contract and the lake's columns can hold. */
export function enter(message: LocalMessage): AtTheDoor {
  if (!("json" in message)) return refused(undefined, 1, "a batch must be JSON, this message is binary");
  const parsed = Batch.safeParse(message.json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = BatchId.safeParse(message.json["batch"]);
    const points = message.json["points"];
    return refused(
      name.success ? name.data : undefined,
      Array.isArray(points) ? Math.max(1, points.length) : 1,
      `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a batch"}`,
    );
  }
  const { batch, points } = parsed.data;
  const [first] = points;
  for (const point of points) {
    if (point.instrument !== first?.instrument || point.boot !== first.boot)
      return refused(batch, points.length, "all points of a batch must be of one instrument and boot");
    if (point.boot > INT32_MAX || (point.derivation?.preprocessingVersion ?? 0) > INT32_MAX)
      return refused(batch, points.length, `boot and preprocessingVersion must be at most ${INT32_MAX}`);
    if (point.sampleTimeMs < 0 || point.sampleTimeMs > LATEST_MS)
      return refused(
        batch,
        points.length,
        `sampleTimeMs ${point.sampleTimeMs} is not in the years 1970 to 9999`,
      );
  }
  return { kind: "batch", batch, points };
}

function refused(batch: string | undefined, points: number, reason: string): AtTheDoor {
  return { kind: "refused", batch, points, reason: reason.slice(0, REASON_LENGTH_MAX) };
}
