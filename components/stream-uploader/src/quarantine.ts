import type { Files, LocalMessage } from "@coalmine/ports";

const FOLDER = "quarantine";
/** The newest are kept, up to 64 files of 64 KiB: enough to see what goes wrong. */
const FILES_MAX = 64;
const FILE_BYTES_MAX = 65_536;

/** Keeps what was refused to be looked at; the oldest makes room. Best effort: a failure here stops nothing. */
export class Quarantine {
  readonly #files: Files;
  #next: number | undefined;

  constructor(files: Files) {
    this.#files = files;
  }

  /** A message that could not come in. */
  keep(message: LocalMessage, reason: string): Promise<void> {
    const content =
      "json" in message
        ? JSON.stringify({ reason, message: message.json })
        : JSON.stringify({ reason, binaryBytes: message.binary.length });
    return this.#keep("json", new TextEncoder().encode(content));
  }

  /** What a sink refused for good: the reason in a file of JSON, and what was to be sent, or its beginning, beside it. */
  async keepBytes(content: Uint8Array, reason: string): Promise<void> {
    const told = JSON.stringify({ reason, contentBytes: content.length });
    await this.#keep("json", new TextEncoder().encode(told));
    await this.#keep("content", content);
  }

  async #keep(ending: "json" | "content", bytes: Uint8Array): Promise<void> {
    const names = await this.#names();
    this.#next ??= Math.max(-1, ...names.map((name) => Number.parseInt(name, 10))) + 1;
    const path = `${FOLDER}/${String(this.#next++).padStart(10, "0")}.${ending}`;
    const file = await this.#files.open(path, "create");
    try {
      await file.write(0, bytes.subarray(0, FILE_BYTES_MAX));
      await file.sync();
    } finally {
      await file.close();
    }
    for (const name of names.slice(0, Math.max(0, names.length + 1 - FILES_MAX)))
      await this.#files.remove(`${FOLDER}/${name}`);
    await this.#files.syncFolder(FOLDER);
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await this.#files.list(FOLDER);
    } catch {
      await this.#files.makeFolder(FOLDER);
      return [];
    }
  }
}
