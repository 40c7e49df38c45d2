import type { File } from "@coalmine/ports";

/**
 * A file whose `writeDurably` is its own `write` and its own `sync`: for files that are not a system's, and for whoever
 * counts, disturbs or outlives those two.
 */
export function inSteps(file: Omit<File, "writeDurably">): File {
  return {
    ...file,
    async writeDurably(position, bytes) {
      await file.write(position, bytes);
      await file.sync();
    },
  };
}
