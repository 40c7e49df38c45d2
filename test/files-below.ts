import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

export interface FileBelow {
  readonly path: string;
  /** Its bytes, a letter each. */
  readonly text: string;
  readonly mode: string;
}

/** Every file below a folder: what a device, or a cloud, has on its disk. */
export async function filesBelow(root: string): Promise<FileBelow[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        const [bytes, { mode }] = await Promise.all([readFile(path), stat(path)]);
        return { path, text: bytes.toString("latin1"), mode: (mode & 0o777).toString(8) };
      }),
  );
}
