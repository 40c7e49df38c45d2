import type { Log, Random } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { ReplyLost } from "../control/faults.ts";
import { type Caller, ServiceError, type Output } from "../service.ts";
import type { Operations } from "../operations.ts";
import { uuid } from "../uuid.ts";
import type { Authenticated, Authenticator } from "./authenticate.ts";
import { catalog } from "./catalog.ts";
import { noAnswer, type HttpRequest, type HttpResponse } from "./http.ts";
import { ServiceDoor } from "./service-door.ts";
import { signatureOf, type Signature } from "./sigv4.ts";

/** S3 has a protocol of its own; the door hands it what it has authenticated. */
export interface ObjectDoor {
  handle(
    request: HttpRequest,
    authenticated: Authenticated,
    run: (operation: string, input: object) => Promise<Output>,
  ): Promise<HttpResponse>;
  writeError(request: HttpRequest, error: ServiceError, requestId: string): HttpResponse;
}

/** Every signed request of an AWS SDK, for whichever service: authenticated, read, run, durable, answered. */
export class AwsDoor {
  readonly #operations: Operations;
  readonly #authenticator: Authenticator;
  readonly #objectDoor: ObjectDoor;
  readonly #log: Log;
  readonly #doors = new Map<string, Promise<ServiceDoor>>();
  /** Request ids: drawn once and counted on from there. */
  readonly #firstId: string;
  #requests = 0;

  constructor(options: {
    readonly operations: Operations;
    readonly authenticator: Authenticator;
    readonly objectDoor: ObjectDoor;
    readonly random: Random;
    readonly log: Log;
  }) {
    this.#operations = options.operations;
    this.#authenticator = options.authenticator;
    this.#objectDoor = options.objectDoor;
    this.#firstId = uuid(options.random);
    this.#log = options.log;
  }

  /** Never rejects: a failure of our own is a 500 and a line in the log. */
  async handle(request: HttpRequest): Promise<HttpResponse> {
    const requestId = this.#nextId();
    let service = "s3";
    try {
      const signature = signatureOf(request);
      service = serviceOf(request, signature);
      const response = await this.#handle(service, request, signature, requestId);
      return withRequestId(response, requestId);
    } catch (failure) {
      return this.#refuse(service, request, failure, requestId);
    }
  }

  /** The same without a signature, for a caller whom another door has let in. */
  async handleAs(caller: Caller, service: string, request: HttpRequest): Promise<HttpResponse> {
    const requestId = this.#nextId();
    try {
      return withRequestId(await this.#run(caller, service, request, requestId), requestId);
    } catch (failure) {
      return this.#refuse(service, request, failure, requestId);
    }
  }

  async #refuse(
    service: string,
    request: HttpRequest,
    failure: unknown,
    requestId: string,
  ): Promise<HttpResponse> {
    if (failure instanceof ReplyLost) return noAnswer;
    const error = failure instanceof ServiceError ? failure : this.#unexpected(service, request, failure);
    return withRequestId(await this.#writeError(service, request, error, requestId), requestId);
  }

  #nextId(): string {
    return `${this.#firstId.slice(0, 24)}${(++this.#requests).toString(16).padStart(12, "0")}`;
  }

  async #handle(
    service: string,
    request: HttpRequest,
    signature: Signature | undefined,
    requestId: string,
  ): Promise<HttpResponse> {
    const authenticated = this.#authenticator.authenticate(request, signature);
    const { caller } = authenticated;
    if (service === "s3")
      return await this.#objectDoor.handle(request, authenticated, (operation, input) =>
        this.#operations.invoke("s3", operation, input, caller),
      );
    return this.#run(caller, service, request, requestId);
  }

  async #run(
    caller: Caller,
    service: string,
    request: HttpRequest,
    requestId: string,
  ): Promise<HttpResponse> {
    const door = await this.#doorOf(service);
    if (door === undefined)
      throw new ServiceError("UnknownOperationException", 404, `No service signs as '${service}' here.`);
    const { operation, input } = door.read(request);
    const output = await this.#operations.invoke(service, operation.name, input, caller);
    return door.writeOutput(operation, output, requestId);
  }

  #doorOf(service: string): Promise<ServiceDoor> | undefined {
    const entry = Object.hasOwn(catalog, service) ? catalog[service] : undefined;
    if (entry === undefined) return undefined;
    const door = this.#doors.get(service) ?? ServiceDoor.open(service, entry);
    this.#doors.set(service, door);
    return door;
  }

  async #writeError(
    service: string,
    request: HttpRequest,
    error: ServiceError,
    requestId: string,
  ): Promise<HttpResponse> {
    if (service === "s3") return this.#objectDoor.writeError(request, error, requestId);
    const door = await this.#doorOf(service);
    if (door !== undefined) return door.writeError(error, requestId);
    return {
      status: error.statusCode,
      headers: { "content-type": "application/json", "x-amzn-errortype": error.code },
      body: JSON.stringify({ message: error.message }),
    };
  }

  #unexpected(service: string, request: HttpRequest, failure: unknown): ServiceError {
    if (failure instanceof URIError)
      return new ServiceError(
        "InvalidURI",
        400,
        "The request's path or query is not valid percent-encoding.",
      );
    this.#log.error("a request failed for a reason of our own", {
      service,
      method: request.method,
      path: request.rawPath,
      reason: messageOf(failure),
      stack: failure instanceof Error ? failure.stack : undefined,
    });
    return new ServiceError(service === "s3" ? "InternalError" : "InternalFailure", 500, "Internal failure.");
  }
}

/** The credential scope names the service; without a signature the target header may still tell whom to answer as. */
function serviceOf(request: HttpRequest, signature: Signature | undefined): string {
  if (signature !== undefined) return signature.scope.service;
  const prefix = request.headers["x-amz-target"]?.split(".")[0];
  const named = Object.entries(catalog).find(
    ([, entry]) => entry.protocol.kind === "aws-json" && entry.protocol.targetPrefix === prefix,
  );
  return named?.[0] ?? "s3";
}

function withRequestId(response: HttpResponse, requestId: string): HttpResponse {
  return {
    ...response,
    headers: { ...response.headers, "x-amzn-requestid": requestId, "x-amz-request-id": requestId },
  };
}
