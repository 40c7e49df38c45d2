import { CoalmineError, messageOf } from "@coalmine/runtime";
import type { Log, Model, Models } from "@coalmine/ports";
import { Manifest } from "./manifest.ts";
import { score } from "./score.ts";

export interface ModelReference {
  readonly component: string;
  readonly version: string;
  readonly sha256: string;
}

/** A model that may not serve: which one, why, and what to do. */
export class ModelRefused extends CoalmineError {
  readonly code = "ERR_MODEL_REFUSED";
}

export interface OpenModel {
  readonly model: Model;
  readonly manifest: Manifest;
}

const LAST_GOOD = "last-good-model";

/**
 * The one model that serves. A new one is opened, warmed up and held to its manifest's test vectors before it takes
 * over between two windows; one that fails is refused and the old one stays. The last good one is kept in the work
 * folder, since Greengrass cleans up the artifacts of versions that no deployment names.
 */
export class ServingModel {
  readonly #models: Models;
  readonly #artifactsFolder: (reference: ModelReference) => string;
  readonly #log: Log;
  #serving: OpenModel | undefined;

  constructor(ports: { readonly model: Models; readonly log: Log }, greengrassRoot: string) {
    this.#models = ports.model;
    this.#log = ports.log;
    this.#artifactsFolder = ({ component, version }) =>
      `${greengrassRoot}/packages/artifacts-unarchived/${component}/${version}/model`;
  }

  get serving(): OpenModel | undefined {
    return this.#serving;
  }

  /** Opens the model that the configuration names; where that fails, the last good one; where that fails, throws. */
  async start(reference: ModelReference): Promise<void> {
    try {
      await this.swap(reference);
    } catch (refused) {
      const kept = await this.#open(LAST_GOOD, undefined).catch(() => undefined);
      // A first start without the right model must fail, so that the deployment rolls back.
      if (kept === undefined || kept.manifest.sha256 === reference.sha256) throw refused;
      this.#log.error("the model of the configuration was refused; the last good one serves", {
        reason: messageOf(refused),
        serving: kept.manifest.sha256,
      });
      this.#serving = kept;
    }
  }

  /** Takes `reference` into service, or throws `ModelRefused` and leaves the old one serving. */
  async swap(reference: ModelReference): Promise<void> {
    if (this.#serving?.manifest.sha256 === reference.sha256) return;
    const folder = this.#artifactsFolder(reference);
    const next = await this.#open(folder, reference).catch((failure: unknown) => {
      // After a roll-back the artifact may be gone while the copy is the very model that is asked for.
      return this.#open(LAST_GOOD, reference).catch(() => {
        throw new ModelRefused(
          `model ${reference.component} ${reference.version} cannot serve: ${messageOf(failure)}. ` +
            `Check that the deployment holds that component version and that its configuration names the sha256 of its manifest.`,
          { cause: failure },
        );
      });
    });
    const previous = this.#serving;
    this.#serving = next;
    await previous?.model.close();
    await this.#models.copyToWork(folder, LAST_GOOD).catch((failure: unknown) => {
      this.#log.warn("the model serves, but its copy could not be kept", { reason: messageOf(failure) });
    });
  }

  /** Opens a model only to see whether it could serve. */
  async check(reference: ModelReference): Promise<string | undefined> {
    if (this.#serving?.manifest.sha256 === reference.sha256) return undefined;
    try {
      const opened = await this.#open(this.#artifactsFolder(reference), reference);
      await opened.model.close();
      return undefined;
    } catch (failure) {
      return `model ${reference.component} ${reference.version} cannot serve: ${messageOf(failure)}`;
    }
  }

  async close(): Promise<void> {
    await this.#serving?.model.close();
    this.#serving = undefined;
  }

  async #open(folder: string, reference: ModelReference | undefined): Promise<OpenModel> {
    const manifest = Manifest.parse(JSON.parse(await this.#models.readText(folder, "manifest.json")));
    if (reference !== undefined && manifest.sha256 !== reference.sha256) {
      throw new Error(`its manifest says sha256 ${manifest.sha256}, the configuration ${reference.sha256}`);
    }
    const model = await this.#models.open(folder, manifest.sha256);
    try {
      await holdToTestVectors(model, manifest);
    } catch (failure) {
      await model.close();
      throw failure;
    }
    return { model, manifest };
  }
}

async function holdToTestVectors(model: Model, manifest: Manifest): Promise<void> {
  const { relativeTolerance, vectors } = manifest.testVectors;
  for (const [index, vector] of vectors.entries()) {
    const told = await score(model, manifest, vector.input);
    const error = Math.abs(told.viscosity / vector.viscosity - 1);
    if (!(error <= relativeTolerance) || told.class !== vector.class) {
      throw new Error(
        `test vector ${index} gives viscosity ${told.viscosity} and class ${told.class}, its manifest says ${vector.viscosity} and ${vector.class}`,
      );
    }
  }
}
