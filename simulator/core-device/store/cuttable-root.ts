import type { ArtifactPermission, DeviceRoot, SystemUser } from "../ports.ts";

/** A root that stops answering when the power is cut: whoever waits for it waits for ever, and writes nothing more. */
export class CuttableRoot implements DeviceRoot {
  readonly #root: DeviceRoot;
  #isCut = false;

  constructor(root: DeviceRoot) {
    this.#root = root;
  }

  cut(): void {
    this.#isCut = true;
  }

  get path(): string {
    return this.#root.path;
  }
  readText(path: string): Promise<string | undefined> {
    return this.#ask((root) => root.readText(path));
  }
  writeText(path: string, text: string, content?: "secret"): Promise<void> {
    return this.#ask((root) => root.writeText(path, text, content));
  }
  appendText(path: string, text: string, durability?: "durable" | "log"): Promise<void> {
    return this.#ask((root) => root.appendText(path, text, durability));
  }
  sizeOf(path: string): Promise<number> {
    return this.#ask((root) => root.sizeOf(path));
  }
  rename(from: string, to: string): Promise<void> {
    return this.#ask((root) => root.rename(from, to));
  }
  list(path: string): Promise<readonly string[]> {
    return this.#ask((root) => root.list(path));
  }
  removeTree(path: string): Promise<void> {
    return this.#ask((root) => root.removeTree(path));
  }
  makeFolder(path: string): Promise<void> {
    return this.#ask((root) => root.makeFolder(path));
  }
  giveTo(path: string, user: SystemUser): Promise<void> {
    return this.#ask((root) => root.giveTo(path, user));
  }
  artifactDigest(path: string): Promise<string | undefined> {
    return this.#ask((root) => root.artifactDigest(path));
  }
  adoptArtifact(path: string, digest: string): Promise<boolean> {
    return this.#ask((root) => root.adoptArtifact(path, digest));
  }
  writeArtifact(path: string, bytes: Uint8Array, permission: ArtifactPermission): Promise<void> {
    return this.#ask((root) => root.writeArtifact(path, bytes, permission));
  }
  unarchive(...asked: Parameters<DeviceRoot["unarchive"]>): Promise<void> {
    return this.#ask((root) => root.unarchive(...asked));
  }
  freeBytes(): Promise<number> {
    return this.#ask((root) => root.freeBytes());
  }
  bytesBelow(path: string): Promise<number> {
    return this.#ask((root) => root.bytesBelow(path));
  }

  async #ask<Answer>(question: (root: DeviceRoot) => Promise<Answer>): Promise<Answer> {
    if (this.#isCut) return new Promise(() => undefined);
    const answer = await question(this.#root);
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- the power may go while the disk works.
    return this.#isCut ? new Promise(() => undefined) : answer;
  }
}
