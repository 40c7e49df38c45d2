import { ServiceError } from "../service.ts";
import { queryPairs, type HttpRequest, type HttpResponse } from "./http.ts";
import {
  bytesOf,
  isObject,
  parseJsonBody,
  requireMembers,
  ShapeError,
  structFromJson,
  structToJson,
  toJson,
  fromJson,
} from "./json-shape.ts";
import type { Member, MemberBinding, OperationModel, ServiceModel, Shape } from "./schema.ts";

interface Route {
  readonly operation: OperationModel;
  readonly method: string;
  readonly segments: readonly Segment[];
  readonly query: readonly string[];
}
type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "label"; readonly name: string }
  | { readonly kind: "greedy"; readonly name: string };

/** Finds the operation of a REST request: literals win over labels, labels over greedy ones. */
export class RestRouter {
  /** By method and what the path begins with, which is "" where that is a label. */
  readonly #routes = new Map<string, Route[]>();

  constructor(model: ServiceModel) {
    const routes = [...model.operations.values()]
      .flatMap((operation) => (operation.http === undefined ? [] : [routeOf(operation, operation.http)]))
      .sort((a, b) => rank(a) - rank(b));
    for (const route of routes) {
      const [first] = route.segments;
      const start = `${route.method} ${first?.kind === "literal" ? first.text : ""}`;
      this.#routes.set(start, [...(this.#routes.get(start) ?? []), route]);
    }
  }

  find(request: HttpRequest): { operation: OperationModel; labels: ReadonlyMap<string, string> } | undefined {
    const path = request.rawPath.replace(/^\//, "").replace(/\/$/, "").split("/").map(decodeLabel);
    const query = new Set(request.rawQuery.split("&").filter((part) => part !== ""));
    let best: { operation: OperationModel; labels: Map<string, string>; score: string } | undefined;
    for (const route of this.#startingWith(request.method, path[0] ?? "")) {
      if (!route.query.every((part) => hasQuery(query, part))) continue;
      const match = matchPath(route.segments, path);
      if (match !== undefined && (best === undefined || match.score < best.score))
        best = { operation: route.operation, ...match };
    }
    return best;
  }

  #startingWith(method: string, first: string): readonly Route[] {
    const labelled = this.#routes.get(`${method} `) ?? [];
    return first === "" ? labelled : [...(this.#routes.get(`${method} ${first}`) ?? []), ...labelled];
  }
}

function routeOf(operation: OperationModel, http: { method: string; path: string }): Route {
  const [path = "", query = ""] = http.path.split("?");
  return {
    operation,
    method: http.method,
    segments: path
      .replace(/^\//, "")
      .replace(/\/$/, "")
      .split("/")
      .map((part): Segment => {
        const label = /^\{(.+?)(\+?)\}$/.exec(part);
        if (label === null) return { kind: "literal", text: part };
        return { kind: label[2] === "+" ? "greedy" : "label", name: label[1] ?? "" };
      }),
    query: query === "" ? [] : query.split("&"),
  };
}

/** Routes with a fixed query come first: without it they would match everything that has none. */
function rank(route: Route): number {
  return -route.query.length;
}

function hasQuery(query: ReadonlySet<string>, part: string): boolean {
  return query.has(part) || (!part.includes("=") && query.has(`${part}=`));
}

/** Of a decoded path. `score` compares by position: 0 for a literal, 1 for a label, 2 for a greedy one. */
function matchPath(
  segments: readonly Segment[],
  path: readonly string[],
): { labels: Map<string, string>; score: string } | undefined {
  const labels = new Map<string, string>();
  let score = "";
  let at = 0;
  for (const [index, segment] of segments.entries()) {
    const part = path[at];
    if (part === undefined) return undefined;
    if (segment.kind === "literal") {
      if (part !== segment.text) return undefined;
      at++;
    } else if (segment.kind === "label") {
      if (part === "") return undefined;
      labels.set(segment.name, part);
      at++;
    } else {
      const end = path.length - (segments.length - index - 1);
      if (end <= at) return undefined;
      labels.set(segment.name, path.slice(at, end).join("/"));
      at = end;
    }
    score += segment.kind === "literal" ? "0" : segment.kind === "label" ? "1" : "2";
  }
  return at === path.length ? { labels, score } : undefined;
}

function decodeLabel(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ShapeError("serialization", "The path is not valid percent-encoding.");
  }
}

/** Puts together what came in path, query, headers and body. */
export function readRestInput(
  operation: OperationModel,
  labels: ReadonlyMap<string, string>,
  request: HttpRequest,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  const inBody: Member[] = [];
  const query = queryPairs(request.rawQuery);
  let payload: Member | undefined;
  for (const member of operation.input.members) {
    const { binding } = member.shape;
    if (binding.payload) payload = member;
    else if (travelsInBody(binding)) inBody.push(member);
    else {
      const value = besideBody(member, labels, query, request.headers);
      if (value !== undefined) input[member.name] = value;
    }
  }
  if (payload !== undefined) {
    const value = readPayload(payload.shape, request.body);
    if (value !== undefined) input[payload.name] = value;
  } else if (inBody.length > 0)
    Object.assign(
      input,
      structFromJson(operation.input, parseJsonBody(bytesOf(request.body).toString("utf8")), "", inBody),
    );
  requireMembers(operation.input, input);
  return input;
}

function travelsInBody({ label, query, queryMap, header, headerPrefix }: MemberBinding): boolean {
  return !label && query === undefined && !queryMap && header === undefined && headerPrefix === undefined;
}

/** A member that comes in the path, the query or the headers; undefined where it did not come. */
function besideBody(
  { name, shape }: Member,
  labels: ReadonlyMap<string, string>,
  query: readonly (readonly [string, string])[],
  headers: Readonly<Record<string, string>>,
): unknown {
  const { binding } = shape;
  if (binding.label) return fromText(shape, labels.get(name), name);
  if (binding.query !== undefined) {
    const values = query.filter(([key]) => key === binding.query).map(([, value]) => value);
    if (shape.kind !== "list") return fromText(shape, values[0], name);
    return values.length > 0 ? values.map((value) => fromText(shape.item, value, name)) : undefined;
  }
  if (binding.queryMap) return Object.fromEntries(query);
  if (binding.header !== undefined) {
    const text = headers[binding.header];
    const isEncoded = binding.headerIsJson && text !== undefined;
    return fromText(shape, isEncoded ? Buffer.from(text, "base64").toString() : text, name);
  }
  return headersWithPrefix(headers, binding.headerPrefix ?? "");
}

function readPayload(shape: Shape, body: Uint8Array): unknown {
  if (shape.kind === "blob") return body;
  const text = bytesOf(body).toString("utf8");
  if (shape.kind === "string") return text;
  return fromJson(shape, parseJsonBody(text));
}

function headersWithPrefix(
  headers: Readonly<Record<string, string>>,
  prefix: string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

/** Text of a label, query or header as the member's type. */
function fromText(shape: Shape, text: string | undefined, name: string): unknown {
  if (text === undefined) return undefined;
  if (shape.kind === "number") {
    const number = Number(text);
    if (text.trim() === "" || Number.isNaN(number))
      throw new ShapeError("serialization", `The value at '${name}' is not a number.`);
    return number;
  }
  if (shape.kind === "boolean") {
    if (text !== "true" && text !== "false")
      throw new ShapeError("serialization", `The value at '${name}' is not true or false.`);
    return text === "true";
  }
  if (shape.kind === "timestamp")
    return fromJson(
      shape,
      shape.timestampFormat === "epoch-seconds" || /^\d+(\.\d+)?$/.test(text) ? Number(text) : text,
      name,
    );
  return text;
}

export function writeRestOutput(operation: OperationModel, output: object): HttpResponse {
  const headers: Record<string, string> = {};
  const inBody: Member[] = [];
  const value = isObject(output) ? output : {};
  let status = operation.http?.status ?? 200;
  let body: Uint8Array | string | undefined;
  for (const field of operation.output.members) {
    const { name, shape: member } = field;
    const item = value[name];
    const { binding } = member;
    if (binding.header !== undefined) {
      const text = textOf(member, item);
      if (text !== undefined) headers[binding.header] = text;
    } else if (binding.headerPrefix !== undefined) {
      for (const [key, text] of Object.entries(isObject(item) ? item : {}))
        headers[`${binding.headerPrefix}${key}`] = String(text);
    } else if (binding.responseCode) status = typeof item === "number" ? item : status;
    else if (binding.payload) {
      if (member.kind === "structure") body = JSON.stringify(toJson(member, item) ?? {});
      else body = item === undefined ? "" : bytesOf(item);
      headers["content-type"] ??=
        member.kind === "structure" ? "application/json" : "application/octet-stream";
    } else inBody.push(field);
  }
  if (body === undefined && status !== 204) {
    headers["content-type"] = "application/json";
    body = JSON.stringify(structToJson(value, inBody));
  }
  return { status, headers, body: body ?? "" };
}

function textOf(shape: Shape, item: unknown): string | undefined {
  const json = toJson(shape, item);
  if (json === undefined) return undefined;
  return typeof json === "string" ? json : JSON.stringify(json);
}

/** The body of a refusal; `x-amzn-ErrorType` carries the shape's name. */
export function writeRestError(model: ServiceModel, error: ServiceError): HttpResponse {
  const shape = model.errors.get(error.code)?.shape;
  const value: Record<string, unknown> = { message: error.message, Message: error.message, ...error.fields };
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "x-amzn-errortype": error.code,
  };
  const members = shape === undefined ? [] : shape.members;
  const inBody = members.filter(({ name, shape: member }) => {
    const { header } = member.binding;
    const text = header === undefined ? undefined : textOf(member, value[name]);
    if (header !== undefined && text !== undefined) headers[header] = text;
    return header === undefined;
  });
  const body =
    inBody.length === 0
      ? { message: error.message, ...error.fields }
      : { message: error.message, ...structToJson(value, inBody) };
  return { status: error.statusCode, headers, body: JSON.stringify(body) };
}
