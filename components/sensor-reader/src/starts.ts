import { Slots } from "@coalmine/durable-log";
import type { Ports } from "@coalmine/ports";
import * as z from "zod";

const FOLDER = "starts";
const FROM_MS = Date.UTC(2024, 0, 1);

/**
 * A number for this start of the reader, larger than that of every start before it and durable when this resolves: the boot
 * counter of instruments that have none. Also seconds since 2024, so that it still rises where the work folder was lost.
 */
export async function countStart(ports: Pick<Ports, "files" | "crypto" | "clock">): Promise<number> {
  const { files, crypto, clock } = ports;
  if (!(await files.list("")).includes(FOLDER)) {
    await files.makeFolder(FOLDER);
    await files.syncFolder("");
  }
  const slots = await Slots.open(files, FOLDER, "count", crypto);
  try {
    const before =
      slots.value === undefined
        ? 0
        : z
            .int()
            .nonnegative()
            .parse(JSON.parse(new TextDecoder().decode(slots.value)));
    const start = Math.max(before + 1, Math.floor((clock.now() - FROM_MS) / 1000));
    await slots.save(new TextEncoder().encode(JSON.stringify(start)));
    return start;
  } finally {
    await slots.close();
  }
}
