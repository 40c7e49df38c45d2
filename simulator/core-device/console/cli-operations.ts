import { IpcServiceError, parseRequest } from "@coalmine/ipc";
import type { Clock, JsonObject, Random } from "@coalmine/ports";
import type { ConfigurationTree } from "../configuration/tree.ts";
import {
  configurationUpdate,
  type LocalDeployments,
  type LocalStatus,
} from "../deployment/local-deployments.ts";
import type { Authorize, Handlers } from "../ipc/handler.ts";
import { CLI } from "../ipc/plugins.ts";
import type { Services } from "../lifecycle/services.ts";
import { isClient } from "./cli-clients.ts";
import { debugPassword } from "./debug-password.ts";

interface CliOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tree: ConfigurationTree;
  readonly services: Services;
  readonly local: LocalDeployments;
  readonly rootPath: string;
  readonly authorize: Authorize;
}

/** Parts of the nucleus that its own listing names as components. */
const BUILT_IN = ["DeploymentService", "FleetStatusService", "TelemetryAgent", "UpdateSystemPolicyService"];
/** A policy can let any component do these; taking a deployment back is for the command line alone. */
type Allowable =
  | "GetComponentDetails"
  | "ListComponents"
  | "RestartComponent"
  | "StopComponent"
  | "CreateLocalDeployment"
  | "GetLocalDeploymentStatus"
  | "ListLocalDeployments"
  | "CreateDebugPassword";
const Uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** What `greengrass-cli` asks of a core device. */
export class CliOperations {
  readonly #options: CliOptions;
  readonly handlers: Handlers = {
    ListComponents: (principal) => this.#list(principal),
    GetComponentDetails: (principal, request) => this.#details(principal, request),
    RestartComponent: (principal, request) => this.#restart(principal, request),
    StopComponent: (principal, request) => this.#stop(principal, request),
    CreateLocalDeployment: (principal, request) => this.#create(principal, request),
    CancelLocalDeployment: (principal, request) => this.#cancel(principal, request),
    GetLocalDeploymentStatus: (principal, request) => this.#status(principal, request),
    ListLocalDeployments: (principal) => this.#deployments(principal),
    CreateDebugPassword: (principal) => this.#password(principal),
  };

  constructor(options: CliOptions) {
    this.#options = options;
  }

  #allow(principal: string, operation: Allowable, resource = "*"): void {
    if (!isClient(principal)) this.#options.authorize(principal, CLI, operation, resource);
  }

  #list(principal: string): JsonObject {
    this.#allow(principal, "ListComponents");
    const builtIn = BUILT_IN.map((componentName) => ({
      componentName,
      version: "0.0.0",
      state: "RUNNING",
    }));
    const components = this.#options.services.all().map(({ name }) => this.#detailsOf(name));
    return { components: [...builtIn, ...components] };
  }

  #details(principal: string, request: JsonObject): JsonObject {
    const name = this.#target(principal, "GetComponentDetails", request);
    return { componentDetails: this.#detailsOf(name) };
  }

  #restart(principal: string, request: JsonObject): JsonObject {
    const name = this.#target(principal, "RestartComponent", request);
    if (this.#options.services.get(name)?.lifecycle.requestRestart() === true)
      return { restartStatus: "SUCCEEDED" };
    return { restartStatus: "FAILED", message: `Component ${name} cannot be restarted now` };
  }

  #stop(principal: string, request: JsonObject): JsonObject {
    const name = this.#target(principal, "StopComponent", request);
    if (this.#options.services.get(name)?.lifecycle.requestStop() === true)
      return { stopStatus: "SUCCEEDED" };
    return { stopStatus: "FAILED", message: `Component ${name} cannot be stopped now` };
  }

  #target(
    principal: string,
    operation: "GetComponentDetails" | "RestartComponent" | "StopComponent",
    request: JsonObject,
  ): string {
    const { componentName } = parseRequest(operation, request);
    if (componentName === "")
      throw new IpcServiceError("InvalidArgumentsError", "Component name must not be empty");
    this.#allow(principal, operation, componentName);
    if (this.#options.services.get(componentName) === undefined)
      throw new IpcServiceError("ResourceNotFoundError", `Component with name ${componentName} not found`);
    return componentName;
  }

  #detailsOf(name: string): JsonObject {
    const component = this.#options.services.get(name);
    return {
      componentName: name,
      version: component?.definition.version ?? "",
      state: component?.lifecycle.state ?? "NEW",
      configuration: this.#options.tree.getObject(["services", name, "configuration"]),
    };
  }

  #create(principal: string, request: JsonObject): JsonObject {
    this.#allow(principal, "CreateLocalDeployment");
    const asked = parseRequest("CreateLocalDeployment", request);
    const { groupName = "", artifactsDirectoryPath = "" } = asked;
    if (groupName.includes(":"))
      throw new IpcServiceError(
        "InvalidArgumentsError",
        `Thing group name ${groupName} must not contain ":"`,
      );
    const store = `${this.#options.rootPath}/packages/artifacts`;
    if (artifactsDirectoryPath !== "" && `${store}/`.startsWith(withSlash(artifactsDirectoryPath)))
      throw new IpcServiceError(
        "InvalidArtifactsDirectoryPathError",
        `${artifactsDirectoryPath} holds the device's own artifacts; name another folder`,
      );
    const configuration = Object.entries(asked.componentToConfiguration ?? {}).map(([name, given]) => {
      const update = configurationUpdate(given);
      if (update === undefined)
        throw new IpcServiceError(
          "InvalidArgumentsError",
          `The configuration of ${name} must have the keys MERGE, a map, and RESET, a list of pointers, and no other`,
        );
      return [name, update] as const;
    });
    const deploymentId = this.#options.local.create({
      ...(groupName === "" ? {} : { groupName }),
      add: asked.rootComponentVersionsToAdd ?? {},
      remove: asked.rootComponentsToRemove ?? [],
      configuration: Object.fromEntries(configuration),
      runWith: asked.componentToRunWithInfo ?? {},
      recipeDirectoryPath: asked.recipeDirectoryPath ?? "",
      artifactsDirectoryPath,
      failureHandlingPolicy: asked.failureHandlingPolicy ?? "DO_NOTHING",
    });
    return { deploymentId };
  }

  #cancel(principal: string, request: JsonObject): JsonObject {
    const { deploymentId } = parseRequest("CancelLocalDeployment", request);
    if (!isClient(principal))
      throw new IpcServiceError("UnauthorizedError", `${principal} is not authorized to call CLI APIs`);
    this.#known(deploymentId);
    const canceled = this.#options.local.cancel(deploymentId);
    return {
      message: canceled
        ? `Deployment ${deploymentId} is canceled`
        : `Deployment ${deploymentId} has ended, or changes the device already, and goes on`,
    };
  }

  #status(principal: string, request: JsonObject): JsonObject {
    const { deploymentId } = parseRequest("GetLocalDeploymentStatus", request);
    this.#allow(principal, "GetLocalDeploymentStatus", deploymentId);
    return { deployment: toldOf(deploymentId, this.#known(deploymentId)) };
  }

  #known(deploymentId: string): LocalStatus {
    if (!Uuid.test(deploymentId))
      throw new IpcServiceError("InvalidArgumentsError", `The deployment id ${deploymentId} is no UUID`);
    const known = this.#options.local.status(deploymentId);
    if (known !== undefined) return known;
    throw new IpcServiceError("ResourceNotFoundError", "Cannot find deployment", {
      resourceType: "localDeployment",
      resourceName: deploymentId,
    });
  }

  #deployments(principal: string): JsonObject {
    this.#allow(principal, "ListLocalDeployments");
    return { localDeployments: this.#options.local.all().map(([id, status]) => toldOf(id, status)) };
  }

  #password(principal: string): JsonObject {
    this.#allow(principal, "CreateDebugPassword");
    return debugPassword(this.#options);
  }
}

function withSlash(folder: string): string {
  return folder.endsWith("/") ? folder : `${folder}/`;
}

function toldOf(deploymentId: string, { status, createdOnMs, details }: LocalStatus): JsonObject {
  const [date = "", time = ""] = new Date(createdOnMs).toISOString().split(/[T.]/);
  return {
    deploymentId,
    status,
    createdOn: `${date.split("-").toReversed().join("-")} ${time} UTC`,
    ...(details === undefined ? {} : { deploymentStatusDetails: details }),
  };
}
