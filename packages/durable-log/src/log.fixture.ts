import type { FileErrorCode, Files } from "@coalmine/ports";
import { inSteps } from "@coalmine/runtime";
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

export type FileOperation =
  | "open"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "syncFolder"
  | "rename"
  | "remove"
  | "list";

/** The files, failing where `fault` answers with a code. What fails was not done. */
export function faulty(
  files: Files,
  fault: (operation: FileOperation, path: string) => FileErrorCode | undefined,
): Files {
  const checked = async <Result>(
    operation: FileOperation,
    path: string,
    act: () => Promise<Result>,
  ): Promise<Result> => {
    const code = fault(operation, path);
    if (code !== undefined)
      throw Object.assign(new Error(`${code}: ${operation}`), { name: "FileError", code, path });
    return act();
  };
  return {
    ...files,
    open: async (path, mode) => {
      const file = await checked("open", path, () => files.open(path, mode));
      return inSteps({
        ...file,
        read: (position, lengthBytes) => checked("read", path, () => file.read(position, lengthBytes)),
        write: (position, bytes) => checked("write", path, () => file.write(position, bytes)),
        truncate: (sizeBytes) => checked("truncate", path, () => file.truncate(sizeBytes)),
        sync: () => checked("sync", path, () => file.sync()),
      });
    },
    syncFolder: (path) => checked("syncFolder", path, () => files.syncFolder(path)),
    rename: (from, to) => checked("rename", from, () => files.rename(from, to)),
    remove: (path) => checked("remove", path, () => files.remove(path)),
    list: (path) => checked("list", path, () => files.list(path)),
  };
}
