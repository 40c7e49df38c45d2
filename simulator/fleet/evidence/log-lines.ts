import * as z from "zod";
import type { LoadLine } from "../driven/reference-load.ts";
import type { Check } from "./checks.ts";

const Written = z.object({ thing: z.string(), source: z.string(), timestamp: z.number(), line: z.number() });

/** Ticks off the lines that arrive of those that were written. */
export class LogLines {
  readonly #arrived = new Set<string>();

  readonly read = (message: string): void => {
    if (!message.startsWith("{")) return;
    const read = Written.safeParse(json(message));
    if (read.success) this.#arrived.add(keyOf(read.data));
  };

  /** Of the lines that were written before an instant all are there, and whole. */
  check(written: readonly LoadLine[], beforeMs: number): Check {
    const due = written.filter(({ timestamp }) => timestamp < beforeMs);
    const missing = due.filter((line) => !this.#arrived.has(keyOf(line)));
    const [first] = missing;
    return {
      name: "every log line arrives whole",
      ok: missing.length === 0 && due.length > 0,
      found: `${missing.length} of ${due.length} are missing${first === undefined ? "" : `; the first is ${first.source}'s on ${first.thing}`}`,
    };
  }
}

function keyOf({ thing, source, timestamp, line }: LoadLine): string {
  return `${thing}/${source}/${timestamp}/${line}`;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
