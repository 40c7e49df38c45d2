import type { JsonObject, JsonValue } from "@coalmine/ports";
import * as z from "zod";

/** What the cloud keeps of a shadow. Metadata mirrors the state, with the second of each leaf's last change. */
export interface ShadowDocument {
  readonly desired: JsonObject | undefined;
  readonly reported: JsonObject | undefined;
  readonly desiredMetadata: JsonObject;
  readonly reportedMetadata: JsonObject;
  readonly version: number;
  /** Epoch seconds. */
  readonly timestamp: number;
  /** A deleted shadow goes on counting versions when it comes back. */
  readonly isDeleted: boolean;
}

export const noShadow: ShadowDocument = {
  desired: undefined,
  reported: undefined,
  desiredMetadata: {},
  reportedMetadata: {},
  version: 0,
  timestamp: 0,
  isDeleted: true,
};

const Section = z.record(z.string(), z.json()).nullish();
/** A request to update. Members that AWS does not know are passed over: the nucleus sends two of them. */
export const UpdateRequest = z.object({
  state: z.object({ desired: Section, reported: Section }),
  version: z.number().int().nonnegative().nullish(),
  clientToken: z.string().max(64).nullish(),
});
export type UpdateRequest = z.infer<typeof UpdateRequest>;

/** The document after the request: objects merge, null removes, anything else replaces. */
export function updated(
  former: ShadowDocument,
  state: UpdateRequest["state"],
  timestamp: number,
): ShadowDocument {
  const base = former.isDeleted ? { ...noShadow, version: former.version } : former;
  const desired = section(base.desired, base.desiredMetadata, state.desired, timestamp);
  const reported = section(base.reported, base.reportedMetadata, state.reported, timestamp);
  return {
    desired: desired.state,
    reported: reported.state,
    desiredMetadata: desired.metadata,
    reportedMetadata: reported.metadata,
    version: base.version + 1,
    timestamp,
    isDeleted: false,
  };
}

function section(
  state: JsonObject | undefined,
  metadata: JsonObject,
  change: UpdateRequest["state"]["desired"],
  timestamp: number,
): { state: JsonObject | undefined; metadata: JsonObject } {
  if (change === undefined) return { state, metadata };
  if (change === null) return { state: undefined, metadata: {} };
  return { state: merged(state ?? {}, change), metadata: mergedMetadata(metadata, change, timestamp) };
}

// Objects are built from entries throughout: a key `__proto__` then is a key like any other.
function merged(former: JsonObject, change: JsonObject): JsonObject {
  const entries = new Map(Object.entries(former));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) entries.delete(key);
    else if (isObject(value)) {
      const before = entries.get(key);
      entries.set(key, merged(isObject(before) ? before : {}, value));
    } else entries.set(key, value);
  }
  return Object.fromEntries(entries);
}

function mergedMetadata(former: JsonObject, change: JsonObject, timestamp: number): JsonObject {
  const entries = new Map(Object.entries(former));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) entries.delete(key);
    else if (isObject(value)) {
      const before = entries.get(key);
      entries.set(key, mergedMetadata(isObject(before) ? before : {}, value, timestamp));
    } else entries.set(key, metadataOf(value, timestamp));
  }
  return Object.fromEntries(entries);
}

/** Metadata of values that were set just now. */
export function metadataOf(value: JsonValue, timestamp: number): JsonValue {
  if (Array.isArray(value)) return value.map((inner) => metadataOf(inner, timestamp));
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, metadataOf(inner, timestamp)]),
    );
  return { timestamp };
}

/** What is desired and not reported so; undefined where nothing is. */
export function deltaOf(document: ShadowDocument): { state: JsonObject; metadata: JsonObject } | undefined {
  if (document.desired === undefined) return undefined;
  return difference(document.desired, document.reported ?? {}, document.desiredMetadata);
}

function difference(
  desired: JsonObject,
  reported: JsonObject,
  metadata: JsonObject,
): { state: JsonObject; metadata: JsonObject } | undefined {
  const state = new Map<string, JsonValue>();
  const when = new Map<string, JsonValue>();
  for (const [key, wanted] of Object.entries(desired)) {
    const actual = Object.hasOwn(reported, key) ? reported[key] : undefined;
    const at = metadata[key];
    if (isObject(wanted) && isObject(actual)) {
      const inner = difference(wanted, actual, isObject(at) ? at : {});
      if (inner === undefined) continue;
      state.set(key, inner.state);
      when.set(key, inner.metadata);
    } else if (!isSame(wanted, actual)) {
      state.set(key, wanted);
      if (at !== undefined) when.set(key, at);
    }
  }
  return state.size === 0
    ? undefined
    : { state: Object.fromEntries(state), metadata: Object.fromEntries(when) };
}

function isSame(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => isSame(value, other[index]));
  if (isObject(one) && isObject(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
    );
  }
  return one === other;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How deep objects lie in each other, as far as `max` + 1. */
export function depthOf(value: JsonValue | undefined, max: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (max < 0) return 1;
  const inner = Array.isArray(value) ? value : Object.values(value);
  return 1 + Math.max(0, ...inner.map((one) => depthOf(one, max - 1)));
}

/** The two sections, and nothing else of what holds them. */
export function stateOf({ desired, reported }: Partial<Pick<ShadowDocument, "desired" | "reported">>): {
  desired?: JsonObject;
  reported?: JsonObject;
} {
  return { ...(desired === undefined ? {} : { desired }), ...(reported === undefined ? {} : { reported }) };
}

export function metadataOfBoth(document: ShadowDocument): JsonObject {
  return {
    ...(document.desired === undefined ? {} : { desired: document.desiredMetadata }),
    ...(document.reported === undefined ? {} : { reported: document.reportedMetadata }),
  };
}

/** As an update's `documents` message has each of its two. */
export function whole(document: ShadowDocument): JsonObject {
  return { state: stateOf(document), metadata: metadataOfBoth(document), version: document.version };
}
