import { CoalmineError, messageOf } from "@coalmine/runtime";
import type { Clock, Log, Models } from "@coalmine/ports";
import type { ModelReference } from "./config.ts";
import { Manifest } from "./manifest.ts";
import { ServedModel } from "./served-model.ts";
import { holdToVectors, vectorFeeds, vectorScores } from "./test-vectors.ts";

/** A model that may not serve: which one, why, and what to do. */
export class ModelRefused extends CoalmineError {
  readonly code = "ERR_MODEL_REFUSED";
}

const LAST_GOOD = "last-good-model";

export interface ShelfLimits {
  /** A run of one window may take this long: the best of the candidate's test vectors is held to it. */
  readonly runMsMax: number;
  /** For a trial in all: a process is started, the model opened, each test vector run. */
  readonly trialMsMax: number;
}

/**
 * Where models come from: their artifacts, and the last good one's copy in the work folder, since Greengrass cleans up
 * the artifacts of versions that no deployment names. What leaves the shelf has answered its test vectors.
 */
export class ModelShelf {
  readonly #ports: { readonly model: Models; readonly log: Log; readonly clock: Clock };
  readonly #greengrassRoot: string;
  readonly #limits: () => ShelfLimits;
  /** The candidate that passed its trial last: a deployment asks first and then orders it. */
  #proven = "";

  constructor(
    ports: { readonly model: Models; readonly log: Log; readonly clock: Clock },
    greengrassRoot: string,
    limits: () => ShelfLimits,
  ) {
    this.#ports = ports;
    this.#greengrassRoot = greengrassRoot;
    this.#limits = limits;
  }

  /** At start nothing serves yet that a trial would protect: the model that the configuration names, or the last good one. */
  async first(reference: ModelReference): Promise<ServedModel> {
    try {
      return await this.#open(reference);
    } catch (refused) {
      // A first start without the right model must fail, so that the deployment rolls back.
      const kept = await this.#manifest(LAST_GOOD).catch(() => undefined);
      if (kept === undefined || kept.sha256 === reference.sha256) throw this.#refusal(reference, refused);
      const model = await this.#warm([LAST_GOOD], kept).catch(() => {
        throw this.#refusal(reference, refused);
      });
      this.#ports.log.error("the model of the configuration was refused; the last good one serves", {
        reason: messageOf(refused),
        serving: kept.sha256,
      });
      return model;
    }
  }

  /** A model that passed its trial, open and warm beside whatever serves; throws `ModelRefused`. */
  async candidate(reference: ModelReference): Promise<ServedModel> {
    try {
      await this.#prove(reference);
      return await this.#open(reference);
    } catch (failure) {
      throw this.#refusal(reference, failure);
    }
  }

  /** Why a model could not serve, or undefined where it could. */
  async check(reference: ModelReference): Promise<string | undefined> {
    try {
      await this.#prove(reference);
      return undefined;
    } catch (failure) {
      return this.#refusal(reference, failure).message;
    }
  }

  /** Keeps a copy of a model that serves. */
  async keep(reference: ModelReference): Promise<void> {
    await this.#ports.model.copyToWork(this.#artifact(reference), LAST_GOOD).catch((failure: unknown) => {
      this.#ports.log.warn("the model serves, but its copy could not be kept", {
        reason: messageOf(failure),
      });
    });
  }

  #refusal(reference: ModelReference, cause: unknown): ModelRefused {
    return new ModelRefused(
      `model ${reference.component} ${reference.componentVersion} cannot serve: ${messageOf(cause)}. ` +
        `Check that the deployment holds that component version and that its configuration names the sha256 of its manifest.`,
      { cause },
    );
  }

  #artifact({ component, componentVersion }: ModelReference): string {
    return `${this.#greengrassRoot}/packages/artifacts-unarchived/${component}/${componentVersion}/model`;
  }

  /** After a roll-back the artifact may be gone while the copy is the very model that is asked for. */
  async #found(reference: ModelReference): Promise<{ folders: string[]; manifest: Manifest }> {
    const artifact = this.#artifact(reference);
    const folders = [artifact, LAST_GOOD];
    const told: string[] = [];
    for (const folder of folders) {
      try {
        const manifest = await this.#manifest(folder);
        if (manifest.sha256 === reference.sha256) {
          return {
            folders: folders.slice(folders.indexOf(folder)),
            manifest: { ...manifest, version: reference.componentVersion },
          };
        }
        told.push(`its manifest says sha256 ${manifest.sha256}, the configuration ${reference.sha256}`);
      } catch (failure) {
        told.push(messageOf(failure));
      }
    }
    // The copy's failure says nothing of what is wrong with the artifact.
    throw new Error(told[0]);
  }

  async #manifest(folder: string): Promise<Manifest> {
    const text = await this.#ports.model.readText(folder, "manifest.json");
    const parsed = Manifest.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const issues = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join(".")}: ${message}`,
    );
    throw new Error(`its manifest cannot be used: ${issues.slice(0, 5).join("; ")}`);
  }

  async #prove(reference: ModelReference): Promise<void> {
    const key = `${reference.component}/${reference.componentVersion}/${reference.sha256}`;
    if (this.#proven === key) return;
    const { folders, manifest } = await this.#found(reference);
    const answers = await this.#ports.model.prove(
      folders[0] ?? "",
      manifest.sha256,
      vectorFeeds(manifest),
      this.#limits().trialMsMax,
    );
    holdToVectors(vectorScores(answers, manifest), manifest);
    this.#proven = key;
  }

  async #open(reference: ModelReference): Promise<ServedModel> {
    const { folders, manifest } = await this.#found(reference);
    return this.#warm(folders, manifest);
  }

  async #warm(folders: readonly string[], manifest: Manifest): Promise<ServedModel> {
    const served = await ServedModel.open(this.#ports.model, folders, manifest);
    try {
      const told = [];
      let leastMs = Number.POSITIVE_INFINITY;
      for (const { input } of manifest.testVectors.vectors) {
        const startedMs = this.#ports.clock.monotonicMs();
        told.push(...(await served.score([{ input: Float32Array.from(input) }])));
        leastMs = Math.min(leastMs, this.#ports.clock.monotonicMs() - startedMs);
      }
      holdToVectors(told, manifest);
      const { runMsMax } = this.#limits();
      if (leastMs > runMsMax)
        throw new Error(
          `a run of one window takes ${leastMs.toFixed(1)} ms, "runMsMax" allows ${runMsMax} ms`,
        );
      return served;
    } catch (failure) {
      await served.close();
      throw failure;
    }
  }
}
