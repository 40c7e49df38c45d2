/**
 * Files. `Files` itself is the component's own work folder: paths are relative, `/`-separated, without `..`.
 * Nothing is durable before `sync`: of the file for its bytes, of the folder for names made, renamed and removed.
 */

export type FileErrorCode =
  | "ENOENT"
  | "EEXIST"
  | "ENOSPC"
  | "EIO"
  | "EACCES"
  | "EROFS"
  | "ENOTDIR"
  | "EISDIR"
  | "EINVAL";

export interface FileError extends Error {
  readonly name: "FileError";
  readonly code: FileErrorCode;
  readonly path: string;
}

/** An open file. It stays readable when its name is renamed or removed. */
export interface File {
  /** Fewer bytes than asked only at the end of the file. */
  read(position: number, lengthBytes: number): Promise<Uint8Array>;
  /** Writes all of it, or rejects; after a rejection how much arrived is unknown. */
  write(position: number, bytes: Uint8Array): Promise<void>;
  /**
   * Writes all of it, and it is durable when this resolves: one call where `write` and `sync` are two. What was written
   * before has to be synced by then. After a rejection how much arrived, and whether it lasts, is unknown.
   */
  writeDurably(position: number, bytes: Uint8Array): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** The bytes are durable when this resolves. After a rejection they may be lost whatever comes later. */
  sync(): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** What tells one file from another whatever it is called. */
export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
}

export interface FileStatus extends FileIdentity {
  readonly kind: "file" | "folder" | "other";
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface Files {
  /** `create` makes it where it is missing (folders are not made); `exclusive` refuses where it exists. */
  open(path: string, mode: "read" | "write" | "create" | "exclusive"): Promise<File>;
  makeFolder(path: string): Promise<void>;
  /** Names in the folder, sorted. `""` is the work folder itself. */
  list(path: string): Promise<readonly string[]>;
  status(path: string): Promise<FileStatus>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
  freeBytes(): Promise<number>;
  /** A folder outside the work folder, by absolute path, read-only. */
  foreign(path: string): ForeignFolder;
}

export interface ForeignFolder {
  list(): Promise<readonly string[]>;
  status(name: string): Promise<FileStatus>;
  open(name: string): Promise<Pick<File, "read" | "size" | "close"> & { status(): Promise<FileStatus> }>;
  /** Only where the owner gave the right to; log-manager frees disk so. */
  remove(name: string): Promise<void>;
  /** Calls `changed` when something in the folder may have changed; may call too often, never too seldom. */
  watch(changed: () => void): { close(): void };
}
