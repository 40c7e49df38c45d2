import { messageOf } from "@coalmine/runtime";
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import * as z from "zod";
import type { JsonValue } from "./json.ts";
import { RecipeError } from "./recipe-error.ts";

/** How often aliases may be followed in total: a recipe of a kilobyte could otherwise unfold to gigabytes. */
const ALIASES_MAX = 100;
/** Ours: 60 times what the cloud takes. A recipe of a device's own folder has no other limit. */
export const DOCUMENT_BYTES_MAX = 1024 * 1024;

/** Keys whose value is text even where YAML would read a number: `1.10` must not become `1.1`. */
const textKeys = new Set([
  "recipeformatversion",
  "componentname",
  "componentversion",
  "versionrequirement",
  "componentdescription",
  "componentpublisher",
]);
/** Below these the values are the author's own. */
const freeKeys = new Set(["componentconfiguration", "lifecycle"]);

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface LocatedDocument {
  readonly value: JsonValue;
  /** Where the value at `path` stands, or the nearest one around it. Keys are found in any case. */
  place(path: readonly PropertyKey[]): Place;
}

/** Reads JSON or YAML (of which JSON is a part) and remembers where everything stood. */
export function readDocument(text: string, file: string): LocatedDocument {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refuse = (place: Place, rule: string, remedy: string, cause?: unknown) =>
    new RecipeError({ code: "RECIPE_PARSE_ERROR", file, ...place, rule, remedy }, { cause });
  const syntaxRemedy = "correct the syntax there";
  if (text.length > DOCUMENT_BYTES_MAX)
    throw refuse(
      { line: 1, column: 1 },
      `the recipe has ${text.length} characters and may have ${DOCUMENT_BYTES_MAX}`,
      "move long scripts and data into the artifact",
    );
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
    const [first] = document.errors;
    if (first !== undefined) throw refuse(at(first.pos[0]), `not readable: ${first.message}`, syntaxRemedy);
    keepText(document.contents);
    const unfolded: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    // Throws where a value holds itself, which the schema would take.
    JSON.stringify(unfolded);
    const value = z.json().safeParse(unfolded);
    const place = (path: readonly PropertyKey[]) => at(offsetOf(document.contents, path));
    if (!value.success)
      throw refuse(
        place(value.error.issues[0]?.path ?? []),
        "a value that JSON cannot hold",
        "write text, a finite number, true, false, a list or a map",
      );
    return { value: value.data, place };
  } catch (failure) {
    if (failure instanceof RecipeError) throw failure;
    // Too many aliases, an alias to nothing or to what it is in, or nesting deeper than the stack.
    throw refuse(
      { line: 1, column: 1 },
      `cannot be unfolded: ${messageOf(failure)}`,
      "write it with fewer aliases and less nesting",
      failure,
    );
  }
}

function keepText(contents: Node | null): void {
  visit(contents, {
    Pair(_, pair) {
      const key = isScalar(pair.key) ? String(pair.key.value).toLowerCase() : "";
      if (freeKeys.has(key)) return visit.SKIP;
      const { value } = pair;
      if (textKeys.has(key) && isScalar(value) && typeof value.value === "number")
        value.value = value.source ?? String(value.value);
      return undefined;
    },
  });
}

function offsetOf(contents: Node | null, path: readonly PropertyKey[]): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const wanted = String(step).toLowerCase();
      const pair = node.items.findLast(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value).toLowerCase() === wanted,
      );
      if (pair === undefined) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) node = node.items[Number(step)];
    else break;
    if (isAlias(node)) break;
    if (isScalar(node) || isMap(node) || isSeq(node)) offset = node.range?.[0] ?? offset;
  }
  return offset;
}
