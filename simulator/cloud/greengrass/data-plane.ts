import * as z from "zod";
import { ServiceError } from "../service.ts";
import { parseJsonBody, ShapeError } from "../protocol/json-shape.ts";
import { artifactsOf, s3PlaceOf, uriOf, type ComponentRegistry } from "./component-registry.ts";
import type { Deployments } from "./deployments.ts";
import { greengrassError } from "./errors.ts";
import type { RegistryForDeployments } from "./jobs-port.ts";

/** A device, known by its certificate. */
export interface DeviceIdentity {
  readonly certificateId: string;
  /** Where the certificate belongs to exactly one thing. */
  readonly thingName: string | undefined;
}

/** Whether the policies of the certificate allow the action. */
export type MayCall = (certificateId: string, action: string, resource: string) => boolean;

export interface DataPlaneRequest {
  readonly method: string;
  /** Still percent-encoded: component ARNs hold encoded colons. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
}

export interface DataPlaneResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const Candidates = z.object({
  platform: z.object({ attributes: z.record(z.string(), z.string()).optional() }).optional(),
  componentCandidates: z
    .array(
      z.object({
        componentName: z.string().max(128),
        componentVersion: z.string().max(64).nullish(),
        versionRequirements: z.record(z.string(), z.string().max(1024)).nullish(),
      }),
    )
    .max(500)
    .optional(),
});

const GROUPS_PER_PAGE = 50;

/** The four calls that a nucleus makes with its certificate. */
export class GreengrassDataPlane {
  readonly #components: ComponentRegistry;
  readonly #deployments: Deployments;
  readonly #registry: RegistryForDeployments;
  readonly #presign: (bucket: string, key: string) => string;
  readonly #mayCall: MayCall;

  constructor(options: {
    readonly components: ComponentRegistry;
    readonly deployments: Deployments;
    readonly registry: RegistryForDeployments;
    readonly mayCall: MayCall;
    /** A URL that reads the object without credentials, for an hour. */
    readonly presign: (bucket: string, key: string) => string;
  }) {
    this.#components = options.components;
    this.#deployments = options.deployments;
    this.#registry = options.registry;
    this.#presign = options.presign;
    this.#mayCall = options.mayCall;
  }

  /** The highest version that satisfies every requirement, one for each candidate. */
  resolveComponentCandidates(device: DeviceIdentity, request: unknown): object {
    this.#require(device, "ResolveComponentCandidates", "*");
    const read = Candidates.safeParse(request);
    if (!read.success)
      throw greengrassError.validation(read.error.issues[0]?.message ?? "not valid", "componentCandidates");
    const candidates = read.data.componentCandidates ?? [];
    return {
      resolvedComponentVersions: candidates.map((candidate) => {
        const { componentName, versionRequirements } = candidate;
        const requirements = Object.values(versionRequirements ?? {});
        const found = this.#components.resolve(componentName, requirements);
        if (found === undefined) throw noUsableVersion(componentName, versionRequirements ?? {});
        return {
          arn: found.arn,
          componentName: found.name,
          componentVersion: found.version,
          recipe: Buffer.from(JSON.stringify(found.document), "utf8").toString("base64"),
          vendorGuidance: "ACTIVE",
        };
      }),
    };
  }

  /** Where the device may fetch an artifact: by the name in a `greengrass:` URI, or the last part of an `s3://` key. */
  getComponentVersionArtifact(device: DeviceIdentity, arn: string, artifactName: string): object {
    this.#require(device, "GetComponentVersionArtifact", arn);
    const { document } = this.#components.find(arn);
    for (const artifact of artifactsOf(document)) {
      const place = s3PlaceOf(uriOf(artifact));
      if (place !== undefined && (place.key === artifactName || place.key.split("/").at(-1) === artifactName))
        return { preSignedUrl: this.#presign(place.bucket, place.key) };
    }
    throw greengrassError.notFound("ARTIFACT", artifactName, `${arn} has no artifact ${artifactName}.`);
  }

  listThingGroupsForCoreDevice(device: DeviceIdentity, thingName: string, nextToken?: string | null): object {
    this.#require(device, "ListThingGroupsForCoreDevice", "*");
    requireSelf(device, thingName);
    const groups = this.#registry.groupsOf(thingName);
    const start = nextToken === undefined || nextToken === null ? 0 : Number(nextToken);
    if (!Number.isInteger(start) || start < 0)
      throw greengrassError.validation("nextToken is not one that was given out.", "nextToken");
    const end = start + GROUPS_PER_PAGE;
    return {
      thingGroups: groups.slice(start, end),
      ...(end < groups.length ? { nextToken: String(end) } : {}),
    };
  }

  getDeploymentConfiguration(device: DeviceIdentity, thingName: string, deploymentId: string): object {
    this.#require(device, "GetDeploymentConfiguration", "*");
    requireSelf(device, thingName);
    const { largeDocument, target } = this.#deployments.find(deploymentId);
    const isForDevice =
      target.kind === "thing"
        ? target.thingName === thingName
        : this.#registry.groupsOf(thingName).some((group) => group.thingGroupArn === target.arn);
    if (largeDocument === undefined || !isForDevice)
      throw greengrassError.notFound("DEPLOYMENT", deploymentId);
    return {
      preSignedUrl: this.#presign(largeDocument.bucket, largeDocument.key),
      integrityCheck: { algorithm: "SHA-256", digest: largeDocument.digest },
    };
  }

  #require(device: DeviceIdentity, action: string, resource: string): void {
    if (!this.#mayCall(device.certificateId, `greengrass:${action}`, resource))
      throw new ServiceError(
        "AccessDeniedException",
        403,
        `The certificate ${device.certificateId} has no policy that allows greengrass:${action} on ${resource}.`,
      );
  }
}

/** The nucleus tells what is missing by this text. */
function noUsableVersion(name: string, requirements: Readonly<Record<string, string>>): ServiceError {
  const wanted = Object.entries(requirements)
    .map(([source, range]) => `${source} requires ${range}`)
    .join(", ");
  return greengrassError.notFound(
    "COMPONENT",
    name,
    `There is no usable version of component ${name} in the cloud that satisfies all requirements (no usable version): ${wanted === "" ? "any" : wanted}.`,
  );
}

function requireSelf(device: DeviceIdentity, thingName: string): void {
  if (device.thingName !== thingName)
    throw new ServiceError(
      "AccessDeniedException",
      403,
      `The certificate of ${device.thingName ?? "no thing"} may not ask for ${thingName}.`,
    );
}

const BODY_BYTES_MAX = 1024 * 1024;

/** The same over HTTP, for the door that checks certificates. Never rejects but for failures of our own. */
export function dataPlaneHandler(
  plane: GreengrassDataPlane,
): (request: DataPlaneRequest, device: DeviceIdentity) => Promise<DataPlaneResponse> {
  return async (request, device) => {
    try {
      return answer(200, route(plane, request, device));
    } catch (failure) {
      const error =
        failure instanceof ShapeError || failure instanceof URIError
          ? greengrassError.validation(failure.message)
          : failure;
      if (!(error instanceof ServiceError)) throw failure;
      const response = answer(error.statusCode, { message: error.message, ...error.fields });
      return { ...response, headers: { ...response.headers, "x-amzn-errortype": error.code } };
    }
  };
}

const calls = [
  ["ResolveComponentCandidates", "POST", /^\/greengrass\/v2\/resolveComponentCandidates$/],
  ["GetComponentVersionArtifact", "GET", /^\/greengrass\/v2\/components\/([^/]+)\/artifacts\/(.+)$/],
  ["ListThingGroupsForCoreDevice", "GET", /^\/greengrass\/v2\/coreDevices\/([^/]+)\/thingGroups$/],
  ["GetDeploymentConfiguration", "GET", /^\/greengrass\/v2\/deployments\/([^/]+)\/configuration$/],
] as const;
export const dataPlaneOperations = calls.map(([operation]) => operation);

/** The call that a request stands for, and what its path names. */
export function dataPlaneCall({ method, path }: Pick<DataPlaneRequest, "method" | "path">) {
  for (const [operation, callMethod, pattern] of calls) {
    const match = method === callMethod ? pattern.exec(path) : null;
    if (match !== null) return { operation, names: match.slice(1) };
  }
  return undefined;
}

function route(plane: GreengrassDataPlane, request: DataPlaneRequest, device: DeviceIdentity): object {
  const { method, path, query, body } = request;
  if (body.length > BODY_BYTES_MAX)
    throw new ServiceError(
      "RequestEntityTooLargeException",
      413,
      `The body is over ${BODY_BYTES_MAX} bytes.`,
    );
  const call = dataPlaneCall(request);
  if (call === undefined)
    throw new ServiceError("UnknownOperationException", 404, `The data plane has no ${method} ${path}.`);
  const [first = "", second = ""] = call.names.map((name) => decodeURIComponent(name));
  const carryOut: Readonly<Record<typeof call.operation, () => object>> = {
    ResolveComponentCandidates: () =>
      plane.resolveComponentCandidates(device, parseJsonBody(Buffer.from(body).toString("utf8"))),
    GetComponentVersionArtifact: () => plane.getComponentVersionArtifact(device, first, second),
    ListThingGroupsForCoreDevice: () =>
      plane.listThingGroupsForCoreDevice(device, first, query.get("nextToken")),
    GetDeploymentConfiguration: () =>
      plane.getDeploymentConfiguration(
        device,
        query.get("coreDeviceThingName") ?? device.thingName ?? "",
        first,
      ),
  };
  return carryOut[call.operation]();
}

function answer(status: number, body: object): DataPlaneResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
