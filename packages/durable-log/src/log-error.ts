import { CoalmineError } from "@coalmine/runtime";

/** No room for a record: the size cap is reached or the disk is full. Nothing of it counts as stored; try again later. */
export class LogFullError extends CoalmineError {
  readonly code = "ERR_LOG_FULL";
}

/** The disk refuses to keep what is written. Nothing of the record counts as stored. */
export class LogUnwritableError extends CoalmineError {
  readonly code = "ERR_LOG_UNWRITABLE";
}

/** More is waiting for the disk than may wait. */
export class LogBusyError extends CoalmineError {
  readonly code = "ERR_LOG_BUSY";
}

/** The record does not fit a segment. */
export class RecordTooLargeError extends CoalmineError {
  readonly code = "ERR_LOG_RECORD_TOO_LARGE";
}

/** The log was closed before the record was stored. */
export class LogClosedError extends CoalmineError {
  readonly code = "ERR_LOG_CLOSED";
}

/** The `FileErrorCode` of a failure of the `files` port, else undefined. */
export function fileErrorCode(failure: unknown): string | undefined {
  return failure instanceof Error && failure.name === "FileError" && "code" in failure
    ? String(failure.code)
    : undefined;
}
