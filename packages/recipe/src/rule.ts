import * as z from "zod";
import type { RecipeErrorCode } from "./recipe-error.ts";

/** What a schema knows of a broken rule beyond its sentence. */
export interface RuleParams {
  readonly code: RecipeErrorCode;
  readonly remedy: string;
}
const RuleParams = z.object({ code: z.custom<RecipeErrorCode>(), remedy: z.string() });

/** Text that has to satisfy `holds`. */
export function textWith(holds: (text: string) => boolean, error: string, params: RuleParams) {
  return z.custom<string>((value) => typeof value === "string" && holds(value), {
    error,
    params: { ...params },
  });
}

/** The params of the rule that `issue` broke, if it was made here. */
export function paramsOf(issue: z.core.$ZodIssue): RuleParams | undefined {
  return issue.code === "custom" ? RuleParams.safeParse(issue.params).data : undefined;
}
