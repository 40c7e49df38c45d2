/** Recipes and deployment documents: parse, check, resolve, interpolate. Start at `parse-recipe.ts`. */
export * from "./json.ts";
export * from "./recipe-error.ts";
export * from "./recipe-schema.ts";
export * from "./artifact.ts";
export * from "./platform.ts";
export * from "./parse-recipe.ts";
export * from "./select-manifest.ts";
export * from "./lifecycle-steps.ts";
export * from "./interpolate.ts";
export * from "./version-range.ts";
export * from "./deployment-document.ts";
export * from "./submission.ts";
export * from "./check-recipe.ts";
