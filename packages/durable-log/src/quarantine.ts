import type { Files } from "@coalmine/ports";
import type { Damage } from "./options.ts";
import { fileErrorCode } from "./log-error.ts";

/** The newest places are kept; the oldest make room. */
const FILES_MAX = 64;
const BYTES_MAX = 4 * 2 ** 20;
const NAME = /^(\d{20})-(\d{10})-(\d{10})\.bin$/;

/**
 * Keeps the bytes of damaged places as they were found, in `<folder>/quarantine/<segment>-<from>-<to>.bin`: the segment
 * itself is freed when its readers are done. Best effort: a failure here costs no record and stops nobody.
 */
export class Quarantine {
  readonly #files: Files;
  readonly #folder: string;
  readonly #report: (damage: Damage) => void;
  #sizes: Map<string, number> | undefined;
  readonly #told = new Set<string>();

  constructor(files: Files, logFolder: string, report: (damage: Damage) => void) {
    this.#files = files;
    this.#folder = `${logFolder}/quarantine`;
    this.#report = report;
  }

  /** Keeps and reports a place once. `bytes` are those from `from` on. */
  async keep(segment: number, from: number, bytes: Uint8Array): Promise<void> {
    const to = from + bytes.length;
    const name = quarantineName(segment, from, to);
    if (this.#told.has(name) || bytes.length === 0) return;
    // Bounded like what is kept: a place that was told long ago may be told again.
    if (this.#told.size >= FILES_MAX) this.#told.clear();
    this.#told.add(name);
    const isKept = bytes.length <= BYTES_MAX && (await this.#put(name, bytes));
    this.#report({ segment, from, to, isKept });
  }

  async #put(name: string, bytes: Uint8Array): Promise<boolean> {
    try {
      const sizes = (this.#sizes ??= await this.#list());
      if (sizes.has(name)) return true;
      let total = [...sizes.values()].reduce((sum, size) => sum + size, bytes.length);
      for (const [oldest, size] of [...sizes].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (sizes.size < FILES_MAX && total <= BYTES_MAX) break;
        await this.#files.remove(`${this.#folder}/${oldest}`);
        sizes.delete(oldest);
        total -= size;
      }
      const path = `${this.#folder}/${name}`;
      const file = await this.#files.open(`${path}.new`, "create");
      try {
        await file.truncate(0);
        await file.write(0, bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#files.rename(`${path}.new`, path);
      await this.#files.syncFolder(this.#folder);
      sizes.set(name, bytes.length);
      return true;
    } catch (failure) {
      if (fileErrorCode(failure) === undefined) throw failure;
      this.#sizes = undefined;
      return false;
    }
  }

  async #list(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    try {
      for (const name of await this.#files.list(this.#folder)) {
        const path = `${this.#folder}/${name}`;
        if (NAME.test(name)) sizes.set(name, (await this.#files.status(path)).sizeBytes);
        else if (name.endsWith(".new")) await this.#files.remove(path);
      }
    } catch (failure) {
      if (fileErrorCode(failure) !== "ENOENT") throw failure;
      await this.#files.makeFolder(this.#folder);
      const parent = this.#folder.slice(0, this.#folder.lastIndexOf("/"));
      await this.#files.syncFolder(parent);
    }
    return sizes;
  }
}

function quarantineName(segment: number, from: number, to: number): string {
  const digits = (value: number, count: number): string => String(value).padStart(count, "0");
  return `${digits(segment, 20)}-${digits(from, 10)}-${digits(to, 10)}.bin`;
}
