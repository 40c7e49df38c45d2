import { readFile } from "node:fs/promises";
import * as z from "zod";

const SentReading = z.object({
  instrument: z.string(),
  boot: z.int().nonnegative(),
  sequence: z.int().nonnegative(),
  /** How many points this reading becomes. */
  channels: z.int().positive(),
});
export type SentReading = z.infer<typeof SentReading>;

/** What instruments measured, by instrument, out of the ledger that they write before they send. */
export async function readLedger(path: string): Promise<ReadonlyMap<string, readonly SentReading[]>> {
  const text = await readFile(path, "utf8").catch((failure: unknown) => {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return "";
    throw failure;
  });
  const sent = new Map<string, SentReading[]>();
  // What stands after the last line's end is being written.
  for (const line of text.split("\n").slice(0, -1)) {
    const reading = SentReading.parse(JSON.parse(line));
    const others = sent.get(reading.instrument);
    if (others === undefined) sent.set(reading.instrument, [reading]);
    else others.push(reading);
  }
  return sent;
}
