import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkRecipe, type RecipeError } from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import { InputFileError } from "../input-file.ts";

export interface Checked {
  readonly file: string;
  readonly faults: readonly RecipeError[];
}

/** Checks a recipe, or every recipe of a folder and of those in it; other files are passed over there. */
export function checkRecipes(path: string): readonly Checked[] {
  try {
    const files = statSync(path).isDirectory() ? recipesIn(path) : [path];
    if (files.length > 0)
      return files.map((file) => ({ file, faults: checkRecipe(readFileSync(file, "utf8"), file) }));
  } catch (failure) {
    throw new InputFileError(
      `${path} cannot be read (${messageOf(failure)}); name a recipe, or a folder of some`,
      {
        cause: failure,
      },
    );
  }
  throw new InputFileError(
    `${path} holds no recipe: no .yaml, .yml or .json file there has the key RecipeFormatVersion; name a recipe, or a folder of some`,
  );
}

function recipesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) => !file.includes("node_modules") && /RecipeFormatVersion/i.test(readFileSync(file, "utf8")),
    )
    .toSorted();
}
