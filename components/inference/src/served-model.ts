import type { Model, Models } from "@coalmine/ports";
import type { Manifest } from "./manifest.ts";
import { feeds, type Score, scores } from "./score.ts";
import type { Window } from "./window.ts";

/** A run without an answer after this long hangs. */
const RUN_HANGS_MS = 20_000;

/** A model that is open, with its manifest. Where its worker is lost it is opened again, under the same hash. */
export class ServedModel {
  readonly manifest: Manifest;
  readonly #models: Models;
  readonly #folders: readonly string[];
  #model: Promise<Model>;
  #held = 0;
  #isRetired = false;

  private constructor(models: Models, folders: readonly string[], manifest: Manifest, model: Model) {
    this.manifest = manifest;
    this.#models = models;
    this.#folders = folders;
    this.#model = Promise.resolve(model);
  }

  /** `folders`: where the model lies, and where a copy may lie if that is gone one day. */
  static async open(models: Models, folders: readonly string[], manifest: Manifest): Promise<ServedModel> {
    return new ServedModel(models, folders, manifest, await openFirst(models, folders, manifest));
  }

  /** Scores of some windows, in their order. Throws what the model throws. */
  async score(windows: readonly Pick<Window, "input">[]): Promise<Score[]> {
    const model = await this.#model;
    const answer = await model.run(feeds(windows, this.manifest));
    return scores(answer, this.manifest, windows.length);
  }

  /** The model as it is open now, to name it to `reopen`. */
  get opening(): Promise<Model> {
    return this.#model;
  }

  /** After its worker was lost. Many may ask at once: `lost` tells which model they had. */
  async reopen(lost: Promise<Model>): Promise<void> {
    if (this.#model === lost) {
      this.#model = lost
        .then((model) => model.close())
        .catch(() => undefined)
        .then(() => openFirst(this.#models, this.#folders, this.manifest));
      // Whoever asks for the model is told.
      this.#model.catch(() => undefined);
    }
    await this.#model;
  }

  /** Somebody has a window for it, and says so again with `letGo` when that is done. */
  hold(): void {
    this.#held++;
  }

  letGo(): void {
    this.#held--;
    if (this.#isRetired && this.#held === 0) void this.close();
  }

  /** Closes it as soon as nobody holds it. */
  retire(): void {
    this.#isRetired = true;
    if (this.#held === 0) void this.close();
  }

  async close(): Promise<void> {
    const model = await this.#model.catch(() => undefined);
    await model?.close().catch(() => undefined);
  }
}

async function openFirst(models: Models, folders: readonly string[], manifest: Manifest): Promise<Model> {
  let failure: unknown;
  for (const folder of folders) {
    try {
      return await models.open(folder, manifest.sha256, { runMsMax: RUN_HANGS_MS });
    } catch (refused) {
      failure ??= refused;
    }
  }
  throw failure;
}
