import type * as z from "zod";
import { type JsonValue, isJsonObject, member } from "./json.ts";
import { type LocatedDocument, readDocument } from "./located-document.ts";
import { RecipeError, type RecipeErrorCode } from "./recipe-error.ts";
import { type Recipe, RecipeSchema } from "./recipe-schema.ts";
import { paramsOf } from "./rule.ts";

/**
 * Reads a recipe, JSON or YAML. `file` is only for the message. Throws `RecipeError` at the first rule that it breaks.
 * @see https://docs.aws.amazon.com/greengrass/v2/developerguide/component-recipe-reference.html
 */
export function parseRecipe(text: string, file: string): Recipe {
  const document = readDocument(text, file);
  const parsed = RecipeSchema.safeParse(document.value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw issue === undefined ? parsed.error : brokenRule(issue, document, file);
}

function brokenRule(issue: z.core.$ZodIssue, document: LocatedDocument, file: string): RecipeError {
  const path = issue.path;
  const found = valueAt(document.value, path);
  const known = knownRules[path.join(".")];
  const params = paramsOf(issue);
  const rule = known?.rule ?? issue.message;
  return new RecipeError({
    code: params?.code ?? known?.code ?? "RECIPE_PARSE_ERROR",
    file,
    ...document.place(path),
    rule: `${path.join(".") || "the recipe"} ${rule}, and is ${shown(found)}`,
    remedy: params?.remedy ?? known?.remedy ?? (found === undefined ? "add it" : "write it so"),
  });
}

/** Rules that the contract's own schemas check, said for a recipe's author. */
const knownRules: Readonly<Record<string, { code: RecipeErrorCode; rule: string; remedy: string }>> = {
  ComponentName: {
    code: "RECIPE_PARSE_ERROR",
    rule: "must be 1 to 128 letters, digits, hyphens, underscores and points, and no . or .. alone",
    remedy: "give it such a name",
  },
  ComponentVersion: {
    code: "COMPONENT_VERSION_NOT_VALID",
    rule: "must be a semantic version of at most 64 characters with numbers up to 999999",
    remedy: 'write one like "1.2.3"',
  },
  Manifests: {
    code: "RECIPE_MISSING_MANIFEST",
    rule: "must be a list with at least one manifest",
    remedy: "add a manifest; one without Platform fits every device",
  },
};

function valueAt(value: JsonValue, path: readonly PropertyKey[]): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const step of path)
    found = Array.isArray(found)
      ? found[Number(step)]
      : isJsonObject(found)
        ? member(found, String(step))
        : undefined;
  return found;
}

const SHOWN_MAX = 80;
function shown(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "missing";
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
