import type { FileError, FileErrorCode } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";

/** A failure of the file system, by one of the ports' codes. */
export class FileFailure extends Error implements FileError {
  override readonly name = "FileError";
  readonly code: FileErrorCode;
  readonly path: string;
  constructor(code: FileErrorCode, path: string, what: string, options?: ErrorOptions) {
    super(`${code}: ${what}: ${path}`, options);
    this.code = code;
    this.path = path;
  }
}

/** What the system says, by what it means to a component; anything else is a failure of the device. */
const codes: Readonly<Record<string, FileErrorCode>> = {
  ENOENT: "ENOENT",
  EEXIST: "EEXIST",
  ENOTEMPTY: "EEXIST",
  ENOSPC: "ENOSPC",
  EDQUOT: "ENOSPC",
  EFBIG: "ENOSPC",
  EACCES: "EACCES",
  EPERM: "EACCES",
  EBADF: "EACCES",
  EROFS: "EROFS",
  ENOTDIR: "ENOTDIR",
  EISDIR: "EISDIR",
  EINVAL: "EINVAL",
  ENAMETOOLONG: "EINVAL",
  ELOOP: "EINVAL",
};

const System = z.object({ code: z.string() });

/** Does something to the file or folder at `path`; what the system throws becomes a `FileFailure`. */
export async function onFile<Result>(
  path: string,
  what: string,
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof FileFailure) throw cause;
    const system = System.safeParse(cause).data?.code ?? "";
    throw new FileFailure(codes[system] ?? "EIO", path, `cannot ${what} (${messageOf(cause)})`, { cause });
  }
}
