import type * as z from "zod";
import { ServiceError } from "../service.ts";
import { readInput } from "../read-input.ts";

/** CloudWatch's refusals, by the shapes of its model. */
export function invalidValue(message: string): ServiceError {
  return new ServiceError("InvalidParameterValueException", 400, message);
}
export function invalidCombination(message: string): ServiceError {
  return new ServiceError("InvalidParameterCombinationException", 400, message);
}
export function missing(name: string): ServiceError {
  return new ServiceError("MissingRequiredParameterException", 400, `The parameter ${name} is required.`);
}

/** @throws ServiceError that names the parameter. */
export function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  return readInput(schema, input, (member, why) =>
    invalidValue(`The value for parameter ${member} is invalid: ${why}`),
  );
}
