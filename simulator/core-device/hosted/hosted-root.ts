import { join } from "node:path";
import type { ArtifactPermission, DeviceRoot } from "../ports.ts";
import type { ArtifactCache } from "./artifact-cache.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** What a hosted device's disk holds at most; past that it is out of space, as a device is. */
const DISK_BYTES = 1024 * 1024 * 1024;

/** A device root in memory. It outlives the `CoreDevice` on it, as a disk outlives a power cut. */
export class HostedRoot implements DeviceRoot {
  readonly path: string;
  readonly disk: MemoryDisk;
  readonly #cache: ArtifactCache;
  /** Relative path → digest, of files and of the folders that ZIPs were extracted into. */
  readonly #artifacts = new Map<string, string>();
  readonly #unzipped = new Map<string, string>();

  /** `path` is what scripts see; nothing is written there. */
  constructor(path: string, disk: MemoryDisk, cache: ArtifactCache) {
    this.path = path;
    this.disk = disk;
    this.#cache = cache;
  }

  /** Where the files behind an absolute path below the root really lie, if they are an extracted artifact's. */
  realPath(absolute: string): string | undefined {
    if (!absolute.startsWith(`${this.path}/`)) return undefined;
    const relative = absolute.slice(this.path.length + 1);
    for (const [folder, digest] of this.#unzipped)
      if (relative === folder || relative.startsWith(`${folder}/`))
        return join(this.#cache.unzipped(digest), relative.slice(folder.length));
    return undefined;
  }

  async readText(path: string): Promise<string | undefined> {
    return this.disk.text(path);
  }

  async writeText(path: string, text: string): Promise<void> {
    const file = this.disk.create(path);
    this.disk.write(path, file, 0, new TextEncoder().encode(text));
  }

  async appendText(path: string, text: string): Promise<void> {
    this.disk.append(path, new TextEncoder().encode(text));
  }

  async sizeOf(path: string): Promise<number> {
    return this.disk.file(path)?.sizeBytes ?? 0;
  }

  async rename(from: string, to: string): Promise<void> {
    this.disk.rename(from, to);
  }

  async list(path: string): Promise<readonly string[]> {
    const names = new Set(this.disk.list(path));
    for (const name of [...this.#artifacts.keys(), ...this.#unzipped.keys()])
      if (name.startsWith(`${path}/`)) names.add(name.slice(path.length + 1).split("/")[0] ?? "");
    return [...names].toSorted();
  }

  async removeTree(path: string): Promise<void> {
    this.disk.removeTree(path);
    for (const known of [this.#artifacts, this.#unzipped])
      for (const name of known.keys()) if (name === path || name.startsWith(`${path}/`)) known.delete(name);
  }

  async makeFolder(path: string): Promise<void> {
    this.disk.makeFolder(path);
  }

  /** In memory everything is everybody's. */
  async giveTo(): Promise<void> {}

  async artifactDigest(path: string): Promise<string | undefined> {
    const digest = this.#artifacts.get(path);
    return digest === undefined ? undefined : Buffer.from(digest, "hex").toString("base64");
  }

  async adoptArtifact(path: string, digest: string): Promise<boolean> {
    const hex = Buffer.from(digest, "base64").toString("hex");
    if (!this.#cache.has(hex)) return false;
    this.#artifacts.set(path, hex);
    return true;
  }

  async writeArtifact(path: string, bytes: Uint8Array): Promise<void> {
    this.#artifacts.set(path, this.#cache.add(bytes));
  }

  async unarchive(
    zipPath: string,
    intoFolder: string,
    _: ArtifactPermission,
    bytesMax: number,
  ): Promise<void> {
    const digest = this.#artifacts.get(zipPath);
    if (digest === undefined)
      throw new Error(`cannot extract ${zipPath}: it is not stored; download it again`);
    this.#cache.unzipped(digest, bytesMax);
    this.#unzipped.set(intoFolder, digest);
  }

  async freeBytes(): Promise<number> {
    return DISK_BYTES;
  }

  /** Of artifacts, as they were fetched. */
  async bytesBelow(path: string): Promise<number> {
    let bytes = 0;
    for (const [name, digest] of this.#artifacts)
      if (name.startsWith(`${path}/`)) bytes += this.#cache.bytes(digest).byteLength;
    return bytes;
  }
}
