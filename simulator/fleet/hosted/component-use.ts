import type { File, Files } from "@coalmine/ports";

/** What one component of a hosted device said and holds. */
export interface ComponentUse {
  /** That it logged by itself since the device was made. */
  readonly lines: number;
  /** Files that its process holds open. */
  readonly openFiles: number;
}

/** Counts it. */
export class Use implements ComponentUse {
  lines = 0;
  openFiles = 0;

  files(files: Files): Files {
    // A new process: what the one before held is closed.
    this.openFiles = 0;
    return { ...files, open: async (path, mode) => this.#held(await files.open(path, mode)) };
  }

  #held(file: File): File {
    let isOpen = true;
    this.openFiles++;
    return {
      ...file,
      close: () => {
        if (isOpen) this.openFiles--;
        isOpen = false;
        return file.close();
      },
    };
  }
}
