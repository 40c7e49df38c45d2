import type { FileError, FileErrorCode } from "@coalmine/ports";

/** A refusal of a hosted device's disk. */
export class HostedFileError extends Error implements FileError {
  override readonly name = "FileError";
  readonly code: FileErrorCode;
  readonly path: string;
  constructor(code: FileErrorCode, path: string, what: string) {
    super(`${code}: ${what}: ${path}`);
    this.code = code;
    this.path = path;
  }
}
