import { ServiceError } from "../service.ts";

export function invalid(message: string): ServiceError {
  return new ServiceError("ValidationException", 400, message);
}
