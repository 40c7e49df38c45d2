import { watch } from "node:fs";
import { open, readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, ForeignFolder, Timer } from "@coalmine/ports";
import { FileFailure, onFile } from "./file-error.ts";
import { openFile, statusOf } from "./open-file.ts";

/** How often a watched folder is looked at besides: not every file system and mount tells of its changes. */
const POLL_MS = 5000;

/** A folder outside the work folder, by absolute path. Names in it have no `/`. */
export function foreignFolder(folder: string, clock: Clock): ForeignFolder {
  const inside = (name: string): string => {
    if (name === "" || name === "." || name === ".." || name.includes("/"))
      throw new FileFailure("EINVAL", name, `not a name in ${folder}`);
    return join(folder, name);
  };
  return {
    list: () => onFile(folder, "list", async () => (await readdir(folder)).toSorted()),
    status: (name) =>
      onFile(name, "look at", async () => statusOf(await stat(inside(name), { bigint: true }))),
    open: (name) => onFile(name, "open", async () => openFile(await open(inside(name), "r"), name, true)),
    remove: (name) => onFile(name, "remove", () => unlink(inside(name))),
    watch: (changed) => watchFolder(folder, clock, changed),
  };
}

/** Told by the system where it tells, and every few seconds in any case: too often, never too seldom. */
function watchFolder(folder: string, clock: Clock, changed: () => void): { close(): void } {
  let isOpen = true;
  let timer: Timer;
  let watcher: { close(): void } | undefined;
  const attach = (): void => {
    if (watcher !== undefined) return;
    try {
      const attached = watch(folder, { persistent: false }, () => {
        if (isOpen) changed();
      });
      attached.on("error", () => {
        attached.close();
        watcher = undefined;
      });
      watcher = attached;
    } catch {
      // No such folder yet, or no watches left: polling goes on, and tries again.
    }
  };
  const poll = (): void => {
    timer = clock.timer(POLL_MS, () => {
      attach();
      changed();
      if (isOpen) poll();
    });
  };
  attach();
  poll();
  return {
    close: () => {
      isOpen = false;
      timer.cancel();
      watcher?.close();
    },
  };
}
