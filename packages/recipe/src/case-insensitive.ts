import * as z from "zod";
import { isJsonObject, member } from "./json.ts";

/**
 * An object whose keys are taken in any case, written here as the documents spell them. Unknown keys are dropped; a
 * `null` counts as absent, which is what an empty YAML value is.
 */
export function anyCase<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape);
  return z.preprocess(
    (input) => {
      if (!isJsonObject(input)) return input;
      return Object.fromEntries(
        names.flatMap((name) => {
          const value = member(input, name);
          return value === undefined || value === null ? [] : [[name, value]];
        }),
      );
    },
    z.object(shape, { error: "must be a map" }),
  );
}
