/** The operations of the service model `aws.greengrass#GreengrassCoreIPC`, as data. */

/** Bare error shapes of the model. */
export type ErrorShape =
  | "ComponentNotFoundError"
  | "ConflictError"
  | "FailedUpdateConditionCheckError"
  | "InvalidArgumentsError"
  | "InvalidArtifactsDirectoryPathError"
  | "InvalidClientDeviceAuthTokenError"
  | "InvalidCredentialError"
  | "InvalidRecipeDirectoryPathError"
  | "InvalidTokenError"
  | "ResourceNotFoundError"
  | "ServiceError"
  | "UnauthorizedError";

export interface Operation {
  readonly name: OperationName;
  /** Bare shape of the initial response. */
  readonly response: string;
  /** Bare shape of the event union; its presence is what makes an operation a streaming one. */
  readonly events?: string;
  /** What the operation may answer; the official clients make an internal error of anything else. */
  readonly errors: readonly ErrorShape[];
}

/** Every name of the model begins with this on the wire. */
export const NAMESPACE = "aws.greengrass#";

const arguments_ = "InvalidArgumentsError";
const notFound = "ResourceNotFoundError";
const noComponent = "ComponentNotFoundError";
const service = "ServiceError";
const denied = "UnauthorizedError";

/** Name → errors, and the event union of a streaming operation. */
const model = {
  AuthorizeClientDeviceAction: {
    errors: [arguments_, "InvalidClientDeviceAuthTokenError", service, denied],
  },
  CancelLocalDeployment: { errors: [arguments_, notFound, service] },
  CreateDebugPassword: { errors: [service, denied] },
  CreateLocalDeployment: {
    errors: [arguments_, "InvalidArtifactsDirectoryPathError", "InvalidRecipeDirectoryPathError", service],
  },
  DeferComponentUpdate: { errors: [arguments_, notFound, service] },
  DeleteThingShadow: { errors: [arguments_, notFound, service, denied] },
  GetClientDeviceAuthToken: { errors: [arguments_, "InvalidCredentialError", service, denied] },
  GetComponentDetails: { errors: [arguments_, notFound, service] },
  GetConfiguration: { errors: [notFound, service] },
  GetLocalDeploymentStatus: { errors: [notFound, service] },
  GetSecretValue: { errors: [notFound, service, denied] },
  GetThingShadow: { errors: [arguments_, notFound, service, denied] },
  ListComponents: { errors: [service] },
  ListLocalDeployments: { errors: [service] },
  ListNamedShadowsForThing: { errors: [arguments_, notFound, service, denied] },
  PauseComponent: { errors: [notFound, service, denied] },
  PublishToIoTCore: { errors: [service, denied] },
  PublishToTopic: { errors: [service, denied] },
  PutComponentMetric: { errors: [arguments_, service, denied] },
  RestartComponent: { errors: [noComponent, arguments_, service] },
  ResumeComponent: { errors: [notFound, service, denied] },
  SendConfigurationValidityReport: { errors: [arguments_, service] },
  StopComponent: { errors: [noComponent, arguments_, service] },
  SubscribeToCertificateUpdates: {
    events: "CertificateUpdateEvent",
    errors: [arguments_, service, denied],
  },
  SubscribeToComponentUpdates: { events: "ComponentUpdatePolicyEvents", errors: [notFound, service] },
  SubscribeToConfigurationUpdate: { events: "ConfigurationUpdateEvents", errors: [notFound, service] },
  SubscribeToIoTCore: { events: "IoTCoreMessage", errors: [service, denied] },
  SubscribeToTopic: { events: "SubscriptionResponseMessage", errors: [arguments_, service, denied] },
  SubscribeToValidateConfigurationUpdates: {
    events: "ValidateConfigurationUpdateEvents",
    errors: [service],
  },
  UpdateConfiguration: {
    errors: ["ConflictError", "FailedUpdateConditionCheckError", arguments_, service, denied],
  },
  UpdateState: { errors: [notFound, service] },
  UpdateThingShadow: { errors: ["ConflictError", arguments_, service, denied] },
  ValidateAuthorizationToken: { errors: ["InvalidTokenError", service, denied] },
  VerifyClientDeviceIdentity: { errors: [arguments_, service, denied] },
} as const satisfies Record<string, { errors: readonly ErrorShape[]; events?: string }>;

export type OperationName = keyof typeof model;

const byName = new Map<string, Operation>(
  names().map((name) => [name, { name, response: `${name}Response`, ...model[name] }]),
);

export const operations: readonly Operation[] = [...byName.values()];

/** The operation of this bare name, or undefined where the model has none. */
export function operationNamed(name: string): Operation | undefined {
  return byName.get(name);
}

function names(): readonly OperationName[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a literal of our own
  return Object.keys(model) as OperationName[];
}
