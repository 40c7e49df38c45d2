import type { File, Files, Ipc } from "@coalmine/ports";

/** What one component of a hosted device took and said since the device was made. */
export interface ComponentUse {
  /** Messages by topic, local ones and those to IoT Core. */
  readonly published: ReadonlyMap<string, number>;
  /** That it logged by itself. */
  readonly lines: number;
  /** Files that its process holds open. */
  readonly openFiles: number;
  /** Of its work folder. */
  readonly diskBytes: number;
}

/** Counts it. */
export class Use {
  readonly published = new Map<string, number>();
  lines = 0;
  openFiles = 0;

  ipc(ipc: Ipc): Ipc {
    const count = (topic: string): void =>
      void this.published.set(topic, (this.published.get(topic) ?? 0) + 1);
    return {
      ...ipc,
      publish: (topic, message) => {
        count(topic);
        return ipc.publish(topic, message);
      },
      publishToIotCore: (topic, qos, payload) => {
        count(topic);
        return ipc.publishToIotCore(topic, qos, payload);
      },
    };
  }

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
