import { expect, test } from "vitest";
import { EvidenceReader } from "./evidence-reader.ts";

const MINUTE_MS = 60_000;

test("a minute that cannot be read fails the reading at its turn, and leaves nothing unhandled", async () => {
  const unhandled: unknown[] = [];
  const hear = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", hear);
  try {
    // The first minute answers long after the later ones have failed.
    const store = {
      minute: (minute: number) =>
        minute % 2 === 0
          ? new Promise<[]>((resolve) => void setTimeout(() => resolve([]), 20))
          : Promise.reject(new Error(`minute ${minute} cannot be read`)),
    };
    const reader = new EvidenceReader(store, 100 * MINUTE_MS);
    await expect(reader.tallyAt(130 * MINUTE_MS)).rejects.toThrow(/minute 91 cannot be read/);
    await new Promise((resolve) => void setTimeout(resolve, 50));
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", hear);
  }
});
