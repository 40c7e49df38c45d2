import type { ServiceError } from "../service.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { bytesOf, fromJson, isObject, parseJsonBody, ShapeError, toJson } from "./json-shape.ts";
import type { OperationModel, ServiceModel } from "./schema.ts";

/** AWS-JSON 1.0 and 1.1: every operation is a POST to `/`, named in `x-amz-target`. */
export type AwsJsonVersion = "1.0" | "1.1";

export function readAwsJsonInput(operation: OperationModel, request: HttpRequest): Record<string, unknown> {
  const body = parseJsonBody(bytesOf(request.body).toString("utf8"));
  if (!isObject(body)) throw new ShapeError("serialization", "The request body is not a JSON object.");
  const input = fromJson(operation.input, body);
  return isObject(input) ? input : {};
}

export function writeAwsJsonOutput(
  operation: OperationModel,
  output: object,
  version: AwsJsonVersion,
): HttpResponse {
  return answer(200, JSON.stringify(toJson(operation.output, output) ?? {}), version);
}

export function writeAwsJsonError(
  model: ServiceModel,
  namespace: string,
  error: ServiceError,
  version: AwsJsonVersion,
): HttpResponse {
  const shape = model.errors.get(error.code)?.shape;
  const value = { message: error.message, Message: error.message, ...error.fields };
  const modelled = shape === undefined ? undefined : toJson(shape, value);
  const type = shape === undefined ? error.code : `${namespace}#${error.code}`;
  const body = { __type: type, message: error.message, ...(isObject(modelled) ? modelled : error.fields) };
  const response = answer(error.statusCode, JSON.stringify(body), version);
  return { ...response, headers: { ...response.headers, "x-amzn-errortype": error.code } };
}

function answer(status: number, body: string, version: AwsJsonVersion): HttpResponse {
  return { status, headers: { "content-type": `application/x-amz-json-${version}` }, body };
}
