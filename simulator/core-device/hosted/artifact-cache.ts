import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zipEntries } from "../store/zip.ts";

/**
 * Artifacts of all hosted devices, by the SHA-256 of their bytes: one copy, and one real folder a ZIP, so that each
 * version of a component is imported once. Synchronous, so that no wall time orders events.
 */
export class ArtifactCache {
  readonly #folder: string;
  readonly #bytes = new Map<string, Uint8Array>();

  /** `folder` is a real one that outlives the simulation. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps the bytes; gives their digest in hexadecimal. */
  add(bytes: Uint8Array): string {
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (!this.#bytes.has(digest)) this.#bytes.set(digest, bytes);
    return digest;
  }

  has(digest: string): boolean {
    return this.#bytes.has(digest);
  }

  bytes(digest: string): Uint8Array {
    const bytes = this.#bytes.get(digest);
    if (bytes === undefined)
      throw new Error(`no artifact with digest ${digest} is known here; download it first`);
    return bytes;
  }

  /** The real folder that holds the ZIP's files; extracted the first time it is asked for, with `bytesMax` at most. */
  unzipped(digest: string, bytesMax = Infinity): string {
    const folder = join(this.#folder, digest);
    if (existsSync(folder)) return folder;
    const half = `${folder}.${process.pid}.part`;
    for (const entry of zipEntries(this.bytes(digest), bytesMax)) {
      const path = join(half, entry.name);
      mkdirSync(entry.name.endsWith("/") ? path : dirname(path), { recursive: true });
      if (!entry.name.endsWith("/")) writeFileSync(path, entry.bytes());
    }
    mkdirSync(half, { recursive: true });
    try {
      renameSync(half, folder);
    } catch (failure) {
      // Another process that shares the folder was first, with the same bytes.
      if (!existsSync(folder)) throw failure;
      rmSync(half, { recursive: true });
    }
    return folder;
  }
}
