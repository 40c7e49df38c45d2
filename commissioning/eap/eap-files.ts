import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type DurableFiles, modes } from "../durable-files.ts";
import type { EapCertificate, EapFileName } from "./eap-certificate.ts";

/** Certificate and key of each adapter that joins by them: NetworkManager reads them at every start. */
export class EapFiles {
  readonly #folder: string;
  readonly #files: DurableFiles;

  constructor(folder: string, files: DurableFiles) {
    this.#folder = folder;
    this.#files = files;
  }

  path(adapter: string, name: EapFileName): string {
    return join(this.#folder, adapter, name);
  }

  /** In place of what was there; of which nothing is left. */
  async keep(adapter: string, { files }: Pick<EapCertificate, "files">): Promise<void> {
    await this.drop(adapter);
    for (const name of ["client.p12", "client.pem", "client.key", "authority.pem"] as const) {
      const content = files[name];
      if (content !== undefined) await this.#files.write(this.path(adapter, name), content, modes.privateKey);
    }
  }

  async drop(adapter: string): Promise<void> {
    for (const name of await namesIn(join(this.#folder, adapter)))
      await this.#files.erase(join(this.#folder, adapter, name));
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((failure: unknown) => {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return [];
    throw failure;
  });
}
