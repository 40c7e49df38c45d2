/** The segment log: group commit, cursors, recovery. Start at `durable-log.ts`; docs/spec/durable-log.md says what it keeps. */
export * from "./durable-log.ts";
export * from "./log-error.ts";
export type { Damage, DurableLogOptions, LogLimits, Loss, Weighed, WhenFull } from "./options.ts";
export type { Chunk } from "./segment-reader.ts";
export type { KeyId, LogKeys } from "./segment-cipher.ts";
export { type Cursor } from "./cursor.ts";
export { type KeyFault } from "./key-faults.ts";
export { type Gap, type LogRecord } from "./frame.ts";
export { type Recovered } from "./recover.ts";
export { inspectLog, type LogReport, readLog, type SegmentReport } from "./inspect.ts";
export { repairLog, type Repaired } from "./repair.ts";
export { Slots, SLOT_CONTENT_BYTES_MAX } from "./slots.ts";
export { type FileEvent, memoryFiles, type MemoryFiles, type MemoryFilesOptions } from "./memory-files.ts";
export { crashState, type Fate, recordedFiles, type RecordedFiles } from "./crash-files.ts";
