import { stepNames, parseSteps } from "./lifecycle-steps.ts";
import { readDocument } from "./located-document.ts";
import { RecipeError } from "./recipe-error.ts";
import { lifecycleOf } from "./select-manifest.ts";
import { parseSubmittedRecipe } from "./submission.ts";

/**
 * Everything that a device or the cloud would have against a recipe, before anybody publishes it: the first rule that
 * the document breaks, or else each step that could not be run when its turn comes. Empty where nothing is wrong.
 */
export function checkRecipe(text: string, file: string): readonly RecipeError[] {
  try {
    const recipe = parseSubmittedRecipe(text, file);
    const document = readDocument(text, file);
    const found = new Map<string, RecipeError>();
    for (const [index, manifest] of recipe.manifests.entries()) {
      const { faults } = parseSteps(lifecycleOf(recipe, manifest));
      const own = Object.keys(manifest.lifecycle).length > 0 ? ["Manifests", index] : [];
      for (const name of stepNames) {
        const fault = faults[name];
        if (fault === undefined) continue;
        const place = document.place([...own, "Lifecycle", name]);
        const [rule = fault, remedy = "correct the step"] = fault.split("; ");
        // Manifests that share a lifecycle share its faults.
        found.set(
          `${place.line}:${place.column}:${name}`,
          new RecipeError({ code: "RECIPE_STEP_NOT_VALID", file, ...place, rule, remedy }),
        );
      }
    }
    return [...found.values()];
  } catch (failure) {
    if (failure instanceof RecipeError) return [failure];
    throw failure;
  }
}
