import type { FileStatus, ForeignFolder } from "@coalmine/ports";
import type { MemoryDisk, MemoryFile } from "../../core-device/hosted/memory-disk.ts";
import { HostedFileError } from "./file-error.ts";

/** A folder of a hosted device's own disk as a component may see it: log-manager's view of the logs. */
export function hostedFolder(disk: MemoryDisk, path: string): ForeignFolder {
  const at = (name: string): string => (path === "" ? name : `${path}/${name}`);
  const file = (name: string): MemoryFile => {
    const found = disk.file(at(name));
    if (found === undefined) throw new HostedFileError("ENOENT", at(name), "no such file");
    return found;
  };
  return {
    list: async () => disk.list(path),
    status: async (name) => (disk.isFolder(at(name)) ? folderStatus : status(file(name))),
    open: async (name) => {
      const opened = file(name);
      return {
        read: async (position, lengthBytes) =>
          opened.bytes.slice(position, Math.min(opened.sizeBytes, position + lengthBytes)),
        size: async () => opened.sizeBytes,
        status: async () => status(opened),
        close: async () => undefined,
      };
    },
    remove: async (name) => {
      file(name);
      disk.removeTree(at(name));
    },
    watch: (changed) => disk.watch(path, changed),
  };
}

const folderStatus: FileStatus = {
  device: "hosted",
  inode: "folder",
  kind: "folder",
  sizeBytes: 0,
  modifiedMs: 0,
};

function status(file: MemoryFile): FileStatus {
  return {
    device: "hosted",
    inode: file.inode,
    kind: "file",
    sizeBytes: file.sizeBytes,
    modifiedMs: file.modifiedMs,
  };
}
