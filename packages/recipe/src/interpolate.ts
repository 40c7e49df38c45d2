import { CoalmineError } from "@coalmine/runtime";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";

/** Where the values of recipe variables come from, for one component. */
export interface InterpolationContext {
  readonly component: string;
  /** The resolved configuration of a component; undefined where it is not known. */
  configuration(component: string): JsonObject | undefined;
  /** Absolute folders of a component's artifacts and work; undefined leaves the text as it is. */
  artifactsPath(component: string): string | undefined;
  decompressedPath(component: string): string | undefined;
  workPath(component: string): string | undefined;
  readonly kernelRootPath: string;
  readonly thingName: string;
  /** The components that this one names as dependencies, SOFT ones too: only their variables may be read. */
  readonly directDependencies: ReadonlySet<string>;
}

/** `{namespace:key}` or `{component:namespace:key}`. */
const variable = /\{(?:([.\w-]+):)?([.\w-]+):([^:}]+)\}/g;

/** Ours. A short script that names a long value often would otherwise grow past any memory. */
export const INTERPOLATED_CHARACTERS_MAX = 4 * 1024 * 1024;

/** What a lifecycle would become with its variables is too much for a device. */
export class InterpolationError extends CoalmineError {
  readonly code = "ERR_INTERPOLATED_TOO_LONG";
}

/** Replaces the variables in every text within `value` (not in keys). What cannot be resolved stays as it is. */
export function interpolate(value: JsonValue, context: InterpolationContext): JsonValue {
  if (typeof value === "string") return interpolateText(value, context);
  if (Array.isArray(value)) return value.map((each) => interpolate(each, context));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolate(each, context)]));
}

function interpolateText(text: string, context: InterpolationContext): string {
  let characters = text.length;
  return text.replaceAll(
    variable,
    (whole: string, component: string | undefined, namespace: string, key: string) => {
      if (component !== undefined && !context.directDependencies.has(component)) return whole;
      const value = resolve(component ?? context.component, namespace, key, context) ?? whole;
      characters += value.length;
      if (characters > INTERPOLATED_CHARACTERS_MAX)
        throw new InterpolationError(
          `ERR_INTERPOLATED_TOO_LONG: a text of ${context.component}'s lifecycle would have more than ${INTERPOLATED_CHARACTERS_MAX} characters; name fewer or shorter values in it.`,
        );
      return value;
    },
  );
}

function resolve(
  component: string,
  namespace: string,
  key: string,
  context: InterpolationContext,
): string | undefined {
  switch (`${namespace}:${key}`) {
    case "artifacts:path":
      return context.artifactsPath(component);
    case "artifacts:decompressedPath":
      return context.decompressedPath(component);
    case "work:path":
      return context.workPath(component);
    case "kernel:rootPath":
      return context.kernelRootPath;
    case "iot:thingName":
      return context.thingName;
    default:
      if (namespace !== "configuration") return undefined;
      return asText(at(context.configuration(component), key));
  }
}

/** RFC 6901. */
function at(value: JsonValue | undefined, pointer: string): JsonValue | undefined {
  if (!pointer.startsWith("/")) return undefined;
  let found = value;
  for (const segment of pointer.slice(1).split("/")) {
    const key = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(found)) found = /^(0|[1-9]\d*)$/.test(key) ? found[Number(key)] : undefined;
    else if (isJsonObject(found)) found = Object.hasOwn(found, key) ? found[key] : undefined;
    else return undefined;
  }
  return found;
}

function asText(value: JsonValue | undefined): string | undefined {
  return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
}
