import { DurableLog, type DurableLogOptions, type LogKeys } from "@coalmine/durable-log";
import type { LocalMessage } from "@coalmine/ports";

export const QUARANTINE_FOLDER = "refused";
/** The newest are kept: enough to see what goes wrong. */
const LIMITS = { segmentBytes: 2 ** 18, capBytes: 2 ** 22, whenFull: "overwrite-oldest" } as const;
/** Of one message or upload; the rest of a longer one is not kept. */
const CONTENT_BYTES_MAX = 192 * 1024;

/**
 * Keeps what was refused to be looked at, in a log of its own: encrypted where the readings are, whole after a power cut,
 * the oldest making room. A record is a line of JSON (`reason`, `contentBytes`), and behind it the content.
 */
export class Quarantine {
  readonly log: DurableLog;

  private constructor(log: DurableLog) {
    this.log = log;
  }

  /** It opens without keys; `useKeys` hands them in before anything is kept. */
  static async open(parts: Pick<DurableLogOptions, "files" | "clock" | "crypto">): Promise<Quarantine> {
    const { files, clock, crypto } = parts;
    return new Quarantine(
      await DurableLog.open({ files, clock, crypto, folder: QUARANTINE_FOLDER, ...LIMITS }),
    );
  }

  /** Encrypts from now on. What an older key encrypted is opened by whoever looks at it, with that key. */
  useKeys(keys: LogKeys): void {
    this.log.configure({ keys });
  }

  /** A message that could not come in. */
  keepMessage(message: LocalMessage, reason: string): Promise<void> {
    const content =
      "json" in message ? new TextEncoder().encode(JSON.stringify(message.json)) : message.binary;
    return this.keep(content, reason);
  }

  /** What a sink refused for good. */
  async keep(content: Uint8Array, reason: string): Promise<void> {
    const line = JSON.stringify({ reason: reason.slice(0, 4096), contentBytes: content.length });
    const head = new TextEncoder().encode(`${line}\n`);
    const kept = content.subarray(0, CONTENT_BYTES_MAX);
    const record = new Uint8Array(head.length + kept.length);
    record.set(head);
    record.set(kept, head.length);
    await this.log.append(record);
  }
}
