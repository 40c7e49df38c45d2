import { readFileSync } from "node:fs";
import * as z from "zod";
import { BuildError } from "./build-error.ts";

/** A JSON file of the checkout that has to fit `schema`. */
export function readJson<Schema extends z.ZodType>(schema: Schema, file: string): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (failure) {
    throw new BuildError("ERR_BUILD_SOURCE", `${file} is not readable as JSON; correct it`, {
      cause: failure,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new BuildError(
    "ERR_BUILD_SOURCE",
    `${file} does not fit: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}; correct it`,
    { cause: parsed.error },
  );
}
