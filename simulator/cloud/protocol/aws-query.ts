import { ServiceError } from "../service.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { bytesOf, fromJson, isObject, JSON_DEPTH_MAX, ShapeError } from "./json-shape.ts";
import type { OperationModel, ServiceModel, Shape } from "./schema.ts";
import { escapeXml } from "./xml.ts";

/** The AWS query protocol: form fields such as `Tags.member.1.Key` in, XML out. */
const FIELDS_MAX = 10_000;

/** A field's text, and the fields below it. */
interface Field {
  text: string | undefined;
  readonly below: Map<string, Field>;
}

export function readQueryForm(request: HttpRequest): { action: string; form: Field } {
  const form: Field = { text: undefined, below: new Map() };
  let action = "";
  let count = 0;
  for (const [name, value] of new URLSearchParams(Buffer.from(request.body).toString("utf8"))) {
    if (name === "Action") action = value;
    const path = name.split(".");
    if (++count > FIELDS_MAX || path.length > JSON_DEPTH_MAX)
      throw new ShapeError(
        "serialization",
        `A form may have ${FIELDS_MAX} fields, with names of ${JSON_DEPTH_MAX} parts.`,
      );
    let at = form;
    for (const part of path) {
      const next = at.below.get(part) ?? { text: undefined, below: new Map() };
      at.below.set(part, next);
      at = next;
    }
    at.text = value;
  }
  return { action, form };
}

export function readQueryInput(operation: OperationModel, form: Field): Record<string, unknown> {
  const input = fromJson(operation.input, jsonOf(operation.input, form));
  return isObject(input) ? input : {};
}

/** The fields as JSON of the shape, for the one reader that checks. */
function jsonOf(shape: Shape, field: Field | undefined): unknown {
  if (field === undefined) return undefined;
  if (shape.kind === "structure")
    return Object.fromEntries(
      shape.members.map(({ name, shape: member }) => [
        name,
        jsonOf(member, field.below.get(member.xmlName ?? name)),
      ]),
    );
  if (shape.kind === "list") {
    const item = shape.item;
    const items = shape.xmlFlattened ? field : field.below.get(item.xmlName ?? "member");
    return inOrder(items).map((one) => jsonOf(item, one));
  }
  if (shape.kind === "map") {
    const { key, value } = entryNames(shape);
    const entries = shape.xmlFlattened ? field : field.below.get("entry");
    return Object.fromEntries(
      inOrder(entries).map((entry) => [
        entry.below.get(key)?.text ?? "",
        jsonOf(shape.item, entry.below.get(value)),
      ]),
    );
  }
  if (shape.kind === "boolean")
    return field.text === "true" ? true : field.text === "false" ? false : field.text;
  return field.text;
}

/** Fields that are counted from 1. */
function inOrder(field: Field | undefined): readonly Field[] {
  return [...(field?.below ?? [])]
    .filter(([number]) => /^\d{1,6}$/.test(number))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, one]) => one);
}

function entryNames(map: Shape): { readonly key: string; readonly value: string } {
  return {
    key: map.key.xmlName ?? "key",
    value: map.item.xmlName ?? "value",
  };
}

export function writeQueryOutput(
  operation: OperationModel,
  output: object,
  xmlNamespace: string,
  requestId: string,
): HttpResponse {
  const { name } = operation;
  const result = element(`${name}Result`, xmlOf(operation.output, output));
  const metadata = element("ResponseMetadata", element("RequestId", requestId));
  return xmlAnswer(200, `<${name}Response xmlns="${xmlNamespace}">${result}${metadata}</${name}Response>`);
}

export function writeQueryError(
  model: ServiceModel,
  error: ServiceError,
  xmlNamespace: string,
  requestId: string,
): HttpResponse {
  const code = model.errors.get(error.code)?.queryCode ?? error.code;
  const told = [
    element("Type", error.statusCode >= 500 ? "Receiver" : "Sender"),
    element("Code", escapeXml(code)),
    element("Message", escapeXml(error.message)),
  ].join("");
  const body = element("Error", told) + element("RequestId", requestId);
  return xmlAnswer(error.statusCode, `<ErrorResponse xmlns="${xmlNamespace}">${body}</ErrorResponse>`);
}

function xmlAnswer(status: number, body: string): HttpResponse {
  return { status, headers: { "content-type": "text/xml" }, body };
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

/** The content of a value's element. */
function xmlOf(shape: Shape, value: unknown): string {
  if (shape.kind === "structure")
    return shape.members
      .map(({ name, shape: member }) => {
        const item = isObject(value) ? value[name] : undefined;
        if (item === undefined || item === null) return "";
        const tag = member.xmlName ?? name;
        return isFlat(member) ? flatOf(tag, member, item) : element(tag, xmlOf(member, item));
      })
      .join("");
  if (shape.kind === "list") return flatOf(shape.item.xmlName ?? "member", shape, value);
  if (shape.kind === "map") return flatOf("entry", shape, value);
  if (shape.kind === "timestamp") return timeText(shape, value);
  if (shape.kind === "blob") return bytesOf(value).toString("base64");
  return escapeXml(String(value));
}

function isFlat(shape: Shape): boolean {
  return (shape.kind === "list" || shape.kind === "map") && shape.xmlFlattened;
}

/** Each item of a list or a map in an element of that name. */
function flatOf(tag: string, shape: Shape, value: unknown): string {
  const of = shape.item;
  if (shape.kind === "list")
    return (Array.isArray(value) ? value : []).map((item) => element(tag, xmlOf(of, item))).join("");
  const names = entryNames(shape);
  return Object.entries(isObject(value) ? value : {})
    .map(([key, item]) =>
      element(tag, element(names.key, escapeXml(key)) + element(names.value, xmlOf(of, item))),
    )
    .join("");
}

function timeText(shape: Shape, value: unknown): string {
  const date = new Date(value instanceof Date ? value : Number(value));
  if (Number.isNaN(date.getTime()))
    throw new ServiceError("InternalFailure", 500, "A service answered with a bad timestamp.");
  return shape.timestampFormat === "epoch-seconds" ? String(date.getTime() / 1000) : date.toISOString();
}
