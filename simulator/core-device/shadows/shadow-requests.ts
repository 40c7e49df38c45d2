import type { JsonObject, JsonValue } from "@coalmine/ports";
import { depthOf, UpdateRequest, type ShadowDocument } from "../../cloud/shadows/document.ts";
import { isObject, parseJson } from "../json.ts";

/** The classic shadow of a thing (no name), or a named one. */
export interface ShadowId {
  readonly thingName: string;
  readonly shadowName: string;
}

/** A refusal in the shadow manager's words; `code` is the one that its `rejected` topics carry. */
export class ShadowRefusal extends Error {
  override readonly name = "ShadowRefusal";
  readonly code: 400 | 401 | 404 | 409 | 413 | 429 | 500;
  constructor(code: ShadowRefusal["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Below `desired` and `reported`. */
export const STATE_DEPTH_MAX = 6;
const CLIENT_TOKEN_CHARACTERS_MAX = 64;

export function checkId({ thingName, shadowName }: ShadowId): void {
  if (thingName === "") throw new ShadowRefusal(400, "ThingName is missing");
  if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(thingName))
    throw new ShadowRefusal(400, "ThingName has 1 to 128 of a-z, A-Z, 0-9, :, _ and -");
  if (!/^[a-zA-Z0-9:_-]{0,64}$/.test(shadowName))
    throw new ShadowRefusal(400, "ShadowName has at most 64 of a-z, A-Z, 0-9, :, _ and -");
}

/** The client token of any request; none where it has none, or is no object. */
export function clientTokenOf(payload: Uint8Array): JsonObject {
  const json = parseJson(new TextDecoder().decode(payload));
  const token = isObject(json) ? json["clientToken"] : undefined;
  return typeof token === "string" ? { clientToken: token } : {};
}

/** Reads a request to change `present`; throws `ShadowRefusal`. */
export function readUpdate(payload: Uint8Array, present: ShadowDocument): UpdateRequest {
  if (payload.length === 0) throw new ShadowRefusal(400, "Missing update payload");
  const json = parseJson(new TextDecoder().decode(payload));
  if (!isObject(json)) throw new ShadowRefusal(400, "Invalid JSON: the payload must be an object");
  const unknown = Object.keys(json).find((key) => !["state", "version", "clientToken"].includes(key));
  if (unknown !== undefined) throw new ShadowRefusal(400, `Invalid JSON: "${unknown}" is not allowed`);
  const { clientToken, state, version } = json;
  if (
    clientToken !== undefined &&
    (typeof clientToken !== "string" || clientToken.length > CLIENT_TOKEN_CHARACTERS_MAX)
  )
    throw new ShadowRefusal(400, "Invalid clientToken");
  if (!isObject(state)) throw new ShadowRefusal(400, "State node must be an object");
  checkState(state);
  if (version !== undefined) checkVersion(version, present);
  const read = UpdateRequest.safeParse(json);
  if (!read.success) throw new ShadowRefusal(400, "State node must be an object");
  return read.data;
}

function checkState(state: JsonObject): void {
  for (const [name, section] of Object.entries(state)) {
    if (name !== "desired" && name !== "reported")
      throw new ShadowRefusal(400, `Invalid JSON: "state.${name}" is not allowed`);
    if (depthOf(section, STATE_DEPTH_MAX) > STATE_DEPTH_MAX)
      throw new ShadowRefusal(400, `JSON contains too many levels of nesting; maximum is ${STATE_DEPTH_MAX}`);
  }
}

function checkVersion(version: JsonValue, present: ShadowDocument): void {
  if (typeof version !== "number" || !Number.isInteger(version))
    throw new ShadowRefusal(400, "Invalid version");
  if (present.version === 0 && version !== 1) throw new ShadowRefusal(400, "Invalid version");
  if (present.version > 0 && version !== present.version) throw new ShadowRefusal(409, "Version conflict");
}
