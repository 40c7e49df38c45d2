import type { IpcError, IpcErrorCode } from "@coalmine/ports";
import { operationNamed } from "./operations.ts";

const codes = {
  UnauthorizedError: true,
  ResourceNotFoundError: true,
  ConflictError: true,
  InvalidArgumentsError: true,
  FailedUpdateConditionCheckError: true,
  ServiceError: true,
  ComponentNotFoundError: true,
  Disconnected: true,
} as const satisfies Record<IpcErrorCode, true>;

/** A refusal of Greengrass IPC as a component meets it. */
export class IpcRefusal extends Error implements IpcError {
  override readonly name = "IpcError";
  readonly code: IpcErrorCode;
  constructor(code: IpcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The refusal that a client makes of a modelled error. The official clients do not recognise an error that the
 * operation's own list lacks, although the nucleus sends some; it becomes a `ServiceError` that names the shape.
 */
export function refusal(operation: string, shape: string, message: string, cause?: unknown): IpcRefusal {
  const known = operationNamed(operation)?.errors.some((error) => error === shape) === true;
  return known && isCode(shape)
    ? new IpcRefusal(shape, `${operation}: ${message}`, { cause })
    : new IpcRefusal("ServiceError", `${operation}: Unexpected response shape received: '${shape}'`, {
        cause,
      });
}

function isCode(shape: string): shape is IpcErrorCode {
  return Object.hasOwn(codes, shape);
}
