import { CoalmineError } from "@coalmine/runtime";

/** Greengrass's own codes where it has one; the cloud's own limits have ours. */
export type RecipeErrorCode =
  | "RECIPE_PARSE_ERROR"
  | "RECIPE_MISSING_MANIFEST"
  | "COMPONENT_VERSION_NOT_VALID"
  | "COMPONENT_DEPENDENCY_NOT_VALID"
  | "EMPTY_ARTIFACT_URI"
  | "EMPTY_ARTIFACT_SCHEME"
  | "UNSUPPORTED_ARTIFACT_SCHEME"
  | "ARTIFACT_URI_NOT_VALID"
  /** A step that is written but could not be run: `…_CONFIG_NOT_VALID` when its turn comes. */
  | "RECIPE_STEP_NOT_VALID"
  | "RECIPE_TOO_LARGE"
  | "RECIPE_NAMES_A_DIGEST";

export interface RecipeFault {
  readonly code: RecipeErrorCode;
  readonly file: string;
  /** Counted from 1; of the value itself where it stands in the file, else of what should hold it. */
  readonly line: number;
  readonly column: number;
  /** What was found, and the rule it breaks. */
  readonly rule: string;
  readonly remedy: string;
}

/** A recipe that cannot be used, with the place in the file to go to. */
export class RecipeError extends CoalmineError implements RecipeFault {
  readonly code: RecipeErrorCode;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly rule: string;
  readonly remedy: string;

  constructor(fault: RecipeFault, options?: ErrorOptions) {
    super(
      `${fault.code}: ${fault.file}:${fault.line}:${fault.column}: ${fault.rule}; ${fault.remedy}.`,
      options,
    );
    this.code = fault.code;
    this.file = fault.file;
    this.line = fault.line;
    this.column = fault.column;
    this.rule = fault.rule;
    this.remedy = fault.remedy;
  }
}
