/** Greengrass's failure codes with the type each belongs to, as far as this device meets them; the others have none. */
const typeOfCode: Readonly<Record<string, string>> = {
  RECIPE_PARSE_ERROR: "COMPONENT_RECIPE_ERROR",
  RECIPE_MISSING_MANIFEST: "COMPONENT_RECIPE_ERROR",
  RECIPE_MISSING_ARTIFACT_HASH_ALGORITHM: "COMPONENT_RECIPE_ERROR",
  ARTIFACT_URI_NOT_VALID: "COMPONENT_RECIPE_ERROR",
  ARTIFACT_CHECKSUM_MISMATCH: "COMPONENT_RECIPE_ERROR",
  ACCESS_DENIED: "PERMISSION_ERROR",
  GET_DEPLOYMENT_CONFIGURATION_ACCESS_DENIED: "PERMISSION_ERROR",
  GET_COMPONENT_VERSION_ARTIFACT_ACCESS_DENIED: "PERMISSION_ERROR",
  RESOLVE_COMPONENT_CANDIDATES_ACCESS_DENIED: "PERMISSION_ERROR",
  HTTP_REQUEST_ERROR: "HTTP_ERROR",
  DOWNLOAD_DEPLOYMENT_DOCUMENT_ERROR: "HTTP_ERROR",
  DOWNLOAD_GREENGRASS_ARTIFACT_ERROR: "HTTP_ERROR",
  NETWORK_ERROR: "NETWORK_ERROR",
  BAD_REQUEST: "NUCLEUS_ERROR",
  NUCLEUS_VERSION_NOT_FOUND: "NUCLEUS_ERROR",
  CUSTOM_PLUGIN_NOT_SUPPORTED: "USER_COMPONENT_ERROR",
  NUCLEUS_MISSING_REQUIRED_CAPABILITIES: "REQUEST_ERROR",
  COMPONENT_CIRCULAR_DEPENDENCY_ERROR: "REQUEST_ERROR",
  MULTIPLE_NUCLEUS_RESOLVED_ERROR: "REQUEST_ERROR",
  MISSING_DOCKER_APPLICATION_MANAGER: "REQUEST_ERROR",
  MISSING_TOKEN_EXCHANGE_SERVICE: "REQUEST_ERROR",
  COMPONENT_VERSION_REQUIREMENTS_NOT_MET: "REQUEST_ERROR",
  RESOURCE_NOT_FOUND: "REQUEST_ERROR",
  SERVER_ERROR: "SERVER_ERROR",
  IO_WRITE_ERROR: "DEVICE_ERROR",
  IO_UNZIP_ERROR: "DEVICE_ERROR",
  DISK_SPACE_CRITICAL: "DEVICE_ERROR",
  LOCAL_RECIPE_NOT_FOUND: "DEVICE_ERROR",
};

/** A deployment that cannot go on, with the codes that its status will carry after DEPLOYMENT_FAILURE. */
export class DeploymentError extends Error {
  override readonly name = "DeploymentError";
  readonly codes: readonly string[];
  /** Types that no code brings: whose component broke. */
  readonly ownTypes: readonly string[];

  constructor(codes: readonly string[], message: string, ownTypes: readonly string[] = []) {
    super(message);
    this.codes = codes;
    this.ownTypes = ownTypes;
  }
}

/** The cloud has taken the deployment back, and it had not begun to change the device. */
export class DeploymentCanceled extends Error {
  override readonly name = "DeploymentCanceled";
}

export type DetailedStatus =
  | "SUCCESSFUL"
  | "FAILED_NO_STATE_CHANGE"
  | "FAILED_ROLLBACK_NOT_REQUESTED"
  | "FAILED_ROLLBACK_COMPLETE"
  | "FAILED_UNABLE_TO_ROLLBACK"
  | "REJECTED";

export interface Failure {
  readonly cause: string;
  readonly errorStack: readonly string[];
  readonly errorTypes: readonly string[];
}

export interface DeploymentResult {
  readonly status: "SUCCEEDED" | "FAILED" | "REJECTED" | "CANCELED";
  readonly detailedStatus: DetailedStatus | undefined;
  readonly failure: Failure | undefined;
}

export function failureOf(thrown: unknown, first = "DEPLOYMENT_FAILURE"): Failure {
  const messages: string[] = [];
  const stack = [first];
  const types: string[] = [];
  for (
    let cause: unknown = thrown, depth = 0;
    cause instanceof Error && depth < 10;
    cause = cause.cause, depth++
  ) {
    messages.push(cause.message);
    if (!(cause instanceof DeploymentError)) continue;
    stack.push(...cause.codes);
    types.push(...cause.codes.flatMap((code) => typeOfCode[code] ?? []), ...cause.ownTypes);
  }
  return {
    cause: messages.length === 0 ? String(thrown) : messages.join(". "),
    errorStack: [...new Set(stack)],
    errorTypes: [...new Set(types)],
  };
}
