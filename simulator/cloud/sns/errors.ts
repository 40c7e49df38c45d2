import type * as z from "zod";
import { ServiceError } from "../service.ts";
import { readInput } from "../read-input.ts";

export function invalid(message: string): ServiceError {
  return new ServiceError("InvalidParameterException", 400, `Invalid parameter: ${message}`);
}
export function notFound(what: string): ServiceError {
  return new ServiceError("NotFoundException", 404, `${what} does not exist`);
}

/** @throws ServiceError that names the parameter. */
export function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  return readInput(schema, input, (member, why) => invalid(`${member} Reason: ${why}`));
}
