import { ServiceError } from "../service.ts";

/** Greengrass's modelled refusals with the members that their shapes demand. */
export const greengrassError = {
  validation: (message: string, field?: string) =>
    new ServiceError("ValidationException", 400, message, {
      reason: "FIELD_VALIDATION_FAILED",
      ...(field === undefined ? {} : { fields: [{ name: field, message }] }),
    }),
  notFound: (resourceType: string, resourceId: string, message?: string) =>
    new ServiceError(
      "ResourceNotFoundException",
      404,
      message ?? `${resourceType} ${resourceId} was not found.`,
      {
        resourceId,
        resourceType,
      },
    ),
  conflict: (resourceType: string, resourceId: string, message: string) =>
    new ServiceError("ConflictException", 409, message, { resourceId, resourceType }),
} as const;
