import * as z from "zod";
import { ServiceError } from "../../cloud/service.ts";

/** Reads a request to the control API; a refusal says what is wrong with it. */
export function readRequest<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  throw new ServiceError("ValidationException", 400, z.prettifyError(read.error));
}
