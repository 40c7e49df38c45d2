import type { Clock, File, Files, ForeignFolder } from "@coalmine/ports";
import type { Life } from "./life.ts";

/** The `files` port of one life. `spendSync` is what making something durable costs the device in virtual time. */
export function livingFiles(
  files: Files,
  life: Life,
  clock: Pick<Clock, "sleep">,
  spendSync: () => number,
): Files {
  const synced = async (sync: Promise<void>): Promise<void> => {
    await sync;
    await clock.sleep(spendSync());
  };
  const living = (file: File): File => ({
    read: (position, lengthBytes) => life.answer(file.read(position, lengthBytes)),
    write: (position, bytes) => life.answer(file.write(position, bytes)),
    writeDurably: (position, bytes) => life.answer(synced(file.writeDurably(position, bytes))),
    truncate: (sizeBytes) => life.answer(file.truncate(sizeBytes)),
    sync: () => life.answer(synced(file.sync())),
    size: () => life.answer(file.size()),
    close: () => life.answer(file.close()),
  });
  return {
    open: (path, mode) => life.answer(files.open(path, mode).then(living)),
    makeFolder: (path) => life.answer(files.makeFolder(path)),
    list: (path) => life.answer(files.list(path)),
    status: (path) => life.answer(files.status(path)),
    rename: (from, to) => life.answer(files.rename(from, to)),
    remove: (path) => life.answer(files.remove(path)),
    syncFolder: (path) => life.answer(synced(files.syncFolder(path))),
    freeBytes: () => life.answer(files.freeBytes()),
    foreign: (path) => livingFolder(files.foreign(path), life),
  };
}

function livingFolder(folder: ForeignFolder, life: Life): ForeignFolder {
  return {
    list: () => life.answer(folder.list()),
    status: (name) => life.answer(folder.status(name)),
    open: (name) =>
      life.answer(
        folder.open(name).then((file) => ({
          read: (position: number, lengthBytes: number) => life.answer(file.read(position, lengthBytes)),
          size: () => life.answer(file.size()),
          status: () => life.answer(file.status()),
          close: () => life.answer(file.close()),
        })),
      ),
    remove: (name) => life.answer(folder.remove(name)),
    watch: (changed) => {
      const watch = folder.watch(life.hears(changed));
      const forget = life.onEnd(() => watch.close());
      return {
        close: () => {
          forget();
          watch.close();
        },
      };
    },
  };
}
