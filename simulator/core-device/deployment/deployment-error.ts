import {
  deploymentErrorCodes,
  type DeploymentErrorCode,
  type DetailedDeploymentStatus,
} from "@coalmine/contract/device-status";

/** What says only where it failed has no type. */
const typeOfCode = new Map<string, string>(
  Object.entries(deploymentErrorCodes).flatMap(([type, codes]) =>
    type === "NONE" ? [] : codes.map((code): [string, string] => [code, type]),
  ),
);

/** A deployment that cannot go on, with the codes that its status will carry after DEPLOYMENT_FAILURE. */
export class DeploymentError extends Error {
  override readonly name = "DeploymentError";
  readonly codes: readonly DeploymentErrorCode[];
  /** Types that no code brings: whose component broke. */
  readonly ownTypes: readonly string[];

  constructor(codes: readonly DeploymentErrorCode[], message: string, ownTypes: readonly string[] = []) {
    super(message);
    this.codes = codes;
    this.ownTypes = ownTypes;
  }
}

/** The cloud has taken the deployment back, and it had not begun to change the device. */
export class DeploymentCanceled extends Error {
  override readonly name = "DeploymentCanceled";
}

export interface Failure {
  readonly cause: string;
  readonly errorStack: readonly string[];
  readonly errorTypes: readonly string[];
}

/** The nucleus, or the whole device, has to start anew, and takes the deployment up from its disk. */
export interface Restart {
  readonly restart: "nucleus" | "device";
}

export interface DeploymentResult {
  readonly status: "SUCCEEDED" | "FAILED" | "REJECTED" | "CANCELED";
  readonly detailedStatus: DetailedDeploymentStatus | undefined;
  readonly failure: Failure | undefined;
}

export function failureOf(thrown: unknown, first: DeploymentErrorCode = "DEPLOYMENT_FAILURE"): Failure {
  const messages: string[] = [];
  const stack: DeploymentErrorCode[] = [first];
  const types: string[] = [];
  for (
    let cause: unknown = thrown, depth = 0;
    cause instanceof Error && depth < 10;
    cause = cause.cause, depth++
  ) {
    messages.push(cause.message);
    if (!(cause instanceof DeploymentError)) continue;
    stack.push(...cause.codes);
    types.push(...cause.codes.flatMap((code) => typeOfCode.get(code) ?? []), ...cause.ownTypes);
  }
  return {
    cause: messages.length === 0 ? String(thrown) : messages.join(". "),
    errorStack: [...new Set(stack)],
    errorTypes: [...new Set(types)],
  };
}
