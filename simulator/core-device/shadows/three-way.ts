import type { JsonObject, JsonValue } from "@coalmine/ports";
import { isObject, sameJson } from "../json.ts";

/** What a shadow holds, on whichever side. */
export interface SharedState {
  readonly desired?: JsonObject | undefined;
  readonly reported?: JsonObject | undefined;
}

/**
 * What becomes of an object that two sides changed since they agreed on `base`: a member that one side alone changed
 * is as that side has it, one that both changed as the `owner` has it.
 */
export function threeWay(
  base: JsonObject | undefined,
  owner: JsonObject | undefined,
  other: JsonObject | undefined,
): JsonObject | undefined {
  if (owner === undefined && other === undefined) return undefined;
  const members = new Map<string, JsonValue>();
  for (const name of new Set([...Object.keys(owner ?? {}), ...Object.keys(other ?? {})])) {
    const [was, own, theirs] = [memberOf(base, name), memberOf(owner, name), memberOf(other, name)];
    if (isObject(own) && isObject(theirs)) {
      members.set(name, threeWay(isObject(was) ? was : undefined, own, theirs) ?? {});
      continue;
    }
    const kept = sameJson(own, was) ? theirs : own;
    if (kept !== undefined) members.set(name, kept);
  }
  return Object.fromEntries(members);
}

/** The `state` of an update that makes `to` of `from`; empty where nothing differs. */
export function patchOfState(from: SharedState | undefined, to: SharedState): JsonObject {
  const desired = patchOf(from?.desired, to.desired);
  const reported = patchOf(from?.reported, to.reported);
  return { ...(desired === undefined ? {} : { desired }), ...(reported === undefined ? {} : { reported }) };
}

/** The update that makes `to` of `from`: what is the same is left out, what is gone is null. Undefined where nothing differs. */
function patchOf(from: JsonObject | undefined, to: JsonObject | undefined): JsonObject | null | undefined {
  if (to === undefined) return from === undefined ? undefined : null;
  const patch = new Map<string, JsonValue>();
  for (const name of Object.keys(from ?? {})) if (!Object.hasOwn(to, name)) patch.set(name, null);
  for (const [name, value] of Object.entries(to)) {
    const present = memberOf(from, name);
    if (isObject(value) && isObject(present)) {
      const inner = patchOf(present, value);
      if (inner !== undefined) patch.set(name, inner);
    } else if (!sameJson(value, present)) patch.set(name, value);
  }
  return patch.size === 0 && from !== undefined ? undefined : Object.fromEntries(patch);
}

function memberOf(object: JsonObject | undefined, name: string): JsonValue | undefined {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}
