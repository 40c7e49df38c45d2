import { gunzipSync } from "node:zlib";
import { ServiceError } from "../service.ts";
import { readAwsJsonInput, writeAwsJsonError, writeAwsJsonOutput } from "./aws-json.ts";
import { readQueryForm, readQueryInput, writeQueryError, writeQueryOutput } from "./aws-query.ts";
import type { CatalogEntry } from "./catalog.ts";
import { Constraints, violationsTold } from "./constraints/check.ts";
import { constraintsOf } from "./constraints/table.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { ShapeError } from "./json-shape.ts";
import { readRestInput, RestRouter, writeRestError, writeRestOutput } from "./rest-json.ts";
import { serviceModel, type OperationModel, type ServiceModel } from "./schema.ts";

/** One service's wire protocol: request to operation and input, output or refusal to answer. */
export class ServiceDoor {
  readonly #entry: CatalogEntry;
  readonly #model: ServiceModel;
  readonly #router: RestRouter;
  readonly #constraints: Constraints | undefined;

  private constructor(entry: CatalogEntry, model: ServiceModel, constraints: Constraints | undefined) {
    this.#entry = entry;
    this.#model = model;
    this.#router = new RestRouter(model);
    this.#constraints = constraints;
  }

  /** `service` is its signing name, by which its constraints are known. */
  static async open(service: string, entry: CatalogEntry): Promise<ServiceDoor> {
    const table = await constraintsOf(service);
    const constraints = table === undefined ? undefined : new Constraints(table);
    return new ServiceDoor(entry, serviceModel(await entry.load()), constraints);
  }

  /** @throws ServiceError as the service refuses what it cannot read. */
  read(request: HttpRequest): { operation: OperationModel; input: Record<string, unknown> } {
    if (request.body.length > this.#entry.bodyBytesMax)
      throw new ServiceError(
        "RequestEntityTooLargeException",
        413,
        `The body is ${request.body.length} bytes, the service takes ${this.#entry.bodyBytesMax}.`,
      );
    try {
      const read = this.#read(this.#decoded(request));
      this.#constrain(read.operation, read.input);
      return read;
    } catch (failure) {
      if (failure instanceof ShapeError)
        throw new ServiceError(
          failure.kind === "serialization" ? "SerializationException" : this.#entry.validationCode,
          400,
          failure.message,
        );
      if (failure instanceof URIError)
        throw new ServiceError("SerializationException", 400, "The query is not valid percent-encoding.");
      throw failure;
    }
  }

  /** The schemas carry no lengths, ranges, patterns and enumerations; AWS checks them before the service sees anything. */
  #constrain(operation: OperationModel, input: Record<string, unknown>): void {
    if (this.#constraints === undefined) return;
    const violations = this.#constraints.violationsOf(operation.name, input);
    if (violations.length === 0) return;
    throw new ServiceError(this.#entry.validationCode, 400, violationsTold(violations), {
      reason: "FIELD_VALIDATION_FAILED",
      fields: violations.map(({ path, message }) => ({ name: path, message })),
    });
  }

  /** The request with the body as it was before it was compressed. */
  #decoded(request: HttpRequest): HttpRequest {
    const { takesGzip, bodyBytesMax } = this.#entry;
    if (takesGzip !== true || request.headers["content-encoding"] !== "gzip") return request;
    try {
      return { ...request, body: gunzipSync(request.body, { maxOutputLength: bodyBytesMax }) };
    } catch {
      throw new ServiceError(
        "SerializationException",
        400,
        `The body is no gzip of at most ${bodyBytesMax} bytes.`,
      );
    }
  }

  #read(request: HttpRequest): { operation: OperationModel; input: Record<string, unknown> } {
    const { protocol } = this.#entry;
    if (protocol.kind === "aws-json") {
      const [prefix, name = ""] = (request.headers["x-amz-target"] ?? "").split(".");
      const operation = prefix === protocol.targetPrefix ? this.#model.operations.get(name) : undefined;
      if (operation === undefined) throw unknownOperation();
      return { operation, input: readAwsJsonInput(operation, request) };
    }
    if (protocol.kind === "aws-query") {
      const { action, form } = readQueryForm(request);
      const operation = this.#model.operations.get(action);
      if (operation === undefined) throw unknownOperation();
      return { operation, input: readQueryInput(operation, form) };
    }
    const found = this.#router.find(request);
    if (found === undefined) throw unknownOperation();
    return { operation: found.operation, input: readRestInput(found.operation, found.labels, request) };
  }

  writeOutput(operation: OperationModel, output: object, requestId: string): HttpResponse {
    const { protocol } = this.#entry;
    if (protocol.kind === "aws-query")
      return writeQueryOutput(operation, output, protocol.xmlNamespace, requestId);
    return protocol.kind === "aws-json"
      ? writeAwsJsonOutput(operation, output, protocol.version)
      : writeRestOutput(operation, output);
  }

  writeError(error: ServiceError, requestId: string): HttpResponse {
    const { protocol } = this.#entry;
    if (protocol.kind === "aws-query")
      return writeQueryError(this.#model, error, protocol.xmlNamespace, requestId);
    return protocol.kind === "aws-json"
      ? writeAwsJsonError(this.#model, this.#namespace(), error, protocol.version)
      : writeRestError(this.#model, error);
  }

  #namespace(): string {
    for (const operation of this.#model.operations.values()) return operation.namespace;
    return "";
  }
}

export function unknownOperation(): ServiceError {
  return new ServiceError("UnknownOperationException", 404, "The service has no such operation.");
}
