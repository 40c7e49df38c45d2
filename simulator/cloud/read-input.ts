import type * as z from "zod";
import type { ServiceError } from "./service.ts";

/** An input that must fit `schema`. @throws what `refuse` makes of the first member that does not, and why. */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  refuse: (member: string, why: string) => ServiceError,
): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw refuse(issue?.path.join(".") ?? "", issue?.message ?? "");
}
