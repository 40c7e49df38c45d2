import { createHash } from "node:crypto";
import { parseRecipe, type Recipe } from "@coalmine/recipe";
import { isObject, parseJson, textMember } from "../json.ts";
import type { DeviceRoot } from "../ports.ts";

/** Recipes and artifacts on the device, laid out as the nucleus lays them out. */
export class ComponentStore {
  readonly #root: DeviceRoot;

  constructor(root: DeviceRoot) {
    this.#root = root;
  }

  async recipe(name: string, version: string): Promise<Recipe | undefined> {
    const path = recipePath(name, version);
    const text = await this.#root.readText(path);
    return text === undefined ? undefined : parseRecipe(text, path);
  }

  /** The ARN under which the cloud knows it, where it came from there. */
  async arnOf(name: string, version: string): Promise<string | undefined> {
    const metadata = parseJson((await this.#root.readText(metadataPath(name, version))) ?? "");
    return isObject(metadata) ? textMember(metadata, "componentVersionArn") : undefined;
  }

  /** `arn` is undefined for a recipe that did not come from the cloud. */
  async save(name: string, version: string, recipe: string, arn: string | undefined): Promise<void> {
    if (arn === undefined) await this.#root.removeTree(metadataPath(name, version));
    else
      await this.#root.writeText(metadataPath(name, version), JSON.stringify({ componentVersionArn: arn }));
    await this.#root.writeText(recipePath(name, version), recipe);
  }

  /** The versions whose recipe is here. */
  async versions(name: string): Promise<readonly string[]> {
    const before = `${fileName(name)}@`;
    const names = await this.#root.list("packages/recipes");
    return names
      .filter((file) => file.startsWith(before) && file.endsWith(RECIPE))
      .map((file) => file.slice(before.length, -RECIPE.length));
  }

  /** Removes every version of every component that `keep` does not want. Gives what went, as `name@version`. */
  async cleanUp(keep: (name: string, version: string) => boolean): Promise<readonly string[]> {
    const removed: string[] = [];
    for (const name of await this.#root.list("packages/artifacts"))
      for (const version of await this.#root.list(`packages/artifacts/${name}`)) {
        if (keep(name, version)) continue;
        await this.#root.removeTree(artifactFolder(name, version));
        await this.#root.removeTree(unarchivedFolder(name, version));
        await this.#root.removeTree(recipePath(name, version));
        await this.#root.removeTree(metadataPath(name, version));
        removed.push(`${name}@${version}`);
      }
    return removed;
  }
}

const RECIPE = ".recipe.yaml";

export function artifactFolder(name: string, version: string): string {
  return `packages/artifacts/${name}/${version}`;
}

export function unarchivedFolder(name: string, version: string): string {
  return `packages/artifacts-unarchived/${name}/${version}`;
}

function recipePath(name: string, version: string): string {
  return `packages/recipes/${fileName(name)}@${version}${RECIPE}`;
}

function metadataPath(name: string, version: string): string {
  return `packages/recipes/${fileName(name)}@${version}.metadata.json`;
}

function fileName(name: string): string {
  return createHash("sha256").update(name).digest("base64url");
}
