import type { FileErrorCode, Files } from "@coalmine/ports";
import { fixtureCrypto } from "./crypto.fixture.ts";
import { DurableLog } from "./durable-log.ts";
import type { DurableLogOptions } from "./options.ts";
import type { Gap } from "./frame.ts";

export function openLog(files: Files, options: Partial<DurableLogOptions> = {}): Promise<DurableLog> {
  return DurableLog.open({
    files,
    clock: { now: () => 1000 },
    crypto: fixtureCrypto,
    folder: "log",
    ...options,
  });
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const decoder = new TextDecoder();

/** Everything the log holds: payloads as text by number, and the gaps. */
export async function readAll(
  log: DurableLog,
  from = 1,
): Promise<{ records: Map<number, string>; gaps: Gap[]; order: number[] }> {
  const records = new Map<number, string>();
  const gaps: Gap[] = [];
  const order: number[] = [];
  for await (const chunk of log.read(from)) {
    gaps.push(...chunk.gaps);
    for (const record of chunk.records) {
      order.push(record.sequence);
      records.set(record.sequence, decoder.decode(record.payload));
    }
  }
  return { records, gaps, order };
}

/** The files, failing where `fault` answers with a code. */
export function faulty(
  files: Files,
  fault: (operation: "write" | "sync" | "syncFolder", path: string) => FileErrorCode | undefined,
): Files {
  const check = (operation: "write" | "sync" | "syncFolder", path: string): void => {
    const code = fault(operation, path);
    if (code !== undefined)
      throw Object.assign(new Error(`${code}: ${operation}`), { name: "FileError", code, path });
  };
  return {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      return {
        ...file,
        async write(position, bytes) {
          check("write", path);
          await file.write(position, bytes);
        },
        async sync() {
          check("sync", path);
          await file.sync();
        },
      };
    },
    async syncFolder(path) {
      check("syncFolder", path);
      await files.syncFolder(path);
    },
  };
}
