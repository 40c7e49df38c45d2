import type { Clock, JsonObject, JsonValue } from "@coalmine/ports";
import type { Broker } from "../broker/broker.ts";
import { type CloudEvents, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import {
  deltaOf,
  depthOf,
  metadataOf,
  metadataOfBoth,
  noShadow,
  type ShadowDocument,
  stateOf,
  updated,
  UpdateRequest,
  whole,
} from "./document.ts";

/** @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#device-shadow-limits */
export const SHADOW_BYTES_MAX = 8 * 1024;
const DEPTH_MAX = 8;
const ShadowName = /^[a-zA-Z0-9:_-]{1,64}$/;

/** The classic shadow of a thing (no name) and its named ones. */
export interface ShadowId {
  readonly thingName: string;
  readonly shadowName: string | undefined;
}

/** Device shadows, over MQTT and for the operations of `iotdata`. A refusal is a `ServiceError` in iotdata's words. */
export class Shadows {
  readonly #documents: Table<ShadowDocument>;
  readonly #clock: Clock;
  readonly #broker: Broker;
  readonly #events: CloudEvents;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly broker: Broker;
    readonly events: CloudEvents;
  }) {
    this.#documents = options.store.table("iot-shadows");
    this.#clock = options.clock;
    this.#broker = options.broker;
    this.#events = options.events;
    for (const [filter, named] of [
      ["$aws/things/+/shadow/+", false],
      ["$aws/things/+/shadow/name/+/+", true],
    ] as const)
      this.#broker.handle(filter, ({ topic, payload }) => {
        const parts = topic.split("/");
        const id = { thingName: parts[2] ?? "", shadowName: named ? (parts[5] ?? "") : undefined };
        this.#answer(id, parts.at(-1) ?? "", payload);
      });
  }

  get(id: ShadowId): JsonObject {
    const document = this.#existing(id);
    const delta = deltaOf(document);
    return {
      state: { ...stateOf(document), ...(delta === undefined ? {} : { delta: delta.state }) },
      metadata: metadataOfBoth(document),
      version: document.version,
      timestamp: this.#seconds(),
    };
  }

  /** Answers what `update/accepted` carries, and tells it, the delta and the documents to who subscribes. */
  update(id: ShadowId, payload: Uint8Array): JsonObject {
    checkName(id);
    if (payload.length > SHADOW_BYTES_MAX)
      throw refusal(413, `The payload is ${payload.length} bytes, a shadow takes ${SHADOW_BYTES_MAX}.`);
    const json = parse(payload);
    if (depthOf(json, DEPTH_MAX) > DEPTH_MAX)
      throw refusal(400, `JSON contains too many levels of nesting; maximum is ${DEPTH_MAX}`);
    const request = UpdateRequest.safeParse(json);
    if (!request.success) {
      const [issue] = request.error.issues;
      throw refusal(
        400,
        `Invalid request: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`,
      );
    }
    return this.#apply(id, request.data);
  }

  /** As an update by the account: for the services of this cloud, which may need more room than 8 KiB. */
  updateDesired(thingName: string, shadowName: string, desired: Readonly<Record<string, unknown>>): void {
    const state = { desired };
    this.#apply({ thingName, shadowName }, UpdateRequest.parse({ state }));
  }

  delete(id: ShadowId, clientToken?: JsonObject): JsonObject {
    const document = this.#existing(id);
    this.#documents.set(keyOf(id), { ...noShadow, version: document.version });
    const accepted = { version: document.version, timestamp: this.#seconds(), ...clientToken };
    this.#tell(id, "delete/accepted", accepted);
    this.#changed(id, document.version, undefined);
    return accepted;
  }

  /** As the fleet index holds it; undefined where there is none. */
  indexed(id: ShadowId): JsonObject | undefined {
    const document = this.#documents.get(keyOf(id));
    if (document === undefined || document.isDeleted) return undefined;
    const delta = deltaOf(document);
    return {
      ...stateOf(document),
      ...(delta === undefined ? {} : { delta: delta.state }),
      hasDelta: delta !== undefined,
    };
  }

  /** Sorted. */
  namesOf(thingName: string): string[] {
    const prefix = `${thingName}\n`;
    return [...this.#documents.entries(prefix)].flatMap(([key, { isDeleted }]) =>
      isDeleted || key === prefix ? [] : [key.slice(prefix.length)],
    );
  }

  #apply(id: ShadowId, { state, version, clientToken }: UpdateRequest): JsonObject {
    const former = this.#documents.get(keyOf(id)) ?? noShadow;
    if (version !== undefined && version !== null && version !== former.version)
      throw new ServiceError("ConflictException", 409, "Version conflict");
    const now = this.#seconds();
    const current = updated(former, state, now);
    this.#documents.set(keyOf(id), current);
    const token: JsonObject = typeof clientToken === "string" ? { clientToken } : {};
    const asked: JsonObject = Object.fromEntries(
      Object.entries(state).flatMap(([name, part]) => (part === undefined ? [] : [[name, part]])),
    );
    const accepted = {
      state: asked,
      metadata: metadataOf(asked, now),
      version: current.version,
      timestamp: now,
      ...token,
    };
    this.#tell(id, "update/accepted", accepted);
    const delta = deltaOf(current);
    if (delta !== undefined)
      this.#tell(id, "update/delta", { version: current.version, timestamp: now, ...delta, ...token });
    this.#tell(id, "update/documents", {
      ...(former.isDeleted ? {} : { previous: whole(former) }),
      current: whole(current),
      timestamp: now,
      ...token,
    });
    const hasReported = state.reported !== undefined && state.reported !== null;
    this.#changed(id, current.version, hasReported ? current.reported : undefined);
    return accepted;
  }

  #changed(id: ShadowId, version: number, reported: JsonObject | undefined): void {
    this.#events.emit({ kind: "shadow-changed", ...id, reported, version, at: this.#clock.now() });
  }

  #answer(id: ShadowId, verb: string, payload: Uint8Array): void {
    if (verb !== "get" && verb !== "update" && verb !== "delete") return;
    let token: JsonObject = {};
    try {
      token = tokenOf(payload);
      if (verb === "get") this.#tell(id, "get/accepted", { ...this.get(id), ...token });
      else if (verb === "update") this.update(id, payload);
      else this.delete(id, token);
    } catch (failure) {
      if (!(failure instanceof ServiceError)) throw failure;
      const { statusCode: code, message } = failure;
      this.#tell(id, `${verb}/rejected`, { code, message, timestamp: this.#seconds(), ...token });
    }
  }

  #existing(id: ShadowId): ShadowDocument {
    checkName(id);
    const document = this.#documents.get(keyOf(id));
    if (document === undefined || document.isDeleted)
      throw new ServiceError(
        "ResourceNotFoundException",
        404,
        `No shadow exists with name: '${id.shadowName === undefined ? id.thingName : `${id.thingName}~${id.shadowName}`}'`,
      );
    return document;
  }

  #tell(id: ShadowId, ending: string, body: JsonObject): void {
    const named = id.shadowName === undefined ? "" : `/name/${id.shadowName}`;
    this.#broker.publish(`$aws/things/${id.thingName}/shadow${named}/${ending}`, JSON.stringify(body));
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

function keyOf({ thingName, shadowName }: ShadowId): string {
  return `${thingName}\n${shadowName ?? ""}`;
}

function checkName({ thingName, shadowName }: ShadowId): void {
  if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(thingName))
    throw refusal(400, `"${thingName}" is no name for a thing.`);
  if (shadowName !== undefined && !ShadowName.test(shadowName))
    throw refusal(
      400,
      `"${shadowName}" is no name for a shadow: 1 to 64 of a-z, A-Z, 0-9, ":", "_" and "-".`,
    );
}

function refusal(statusCode: 400 | 413, message: string): ServiceError {
  return new ServiceError(
    statusCode === 413 ? "RequestEntityTooLargeException" : "InvalidRequestException",
    statusCode,
    message,
  );
}

function parse(payload: Uint8Array): JsonValue {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON is what the parser gives.
    return JSON.parse(Buffer.from(payload).toString()) as JsonValue;
  } catch {
    throw refusal(400, "Payload is not valid JSON");
  }
}

/** The client token of any request; nothing where the payload is empty or no object. */
function tokenOf(payload: Uint8Array): JsonObject {
  if (payload.length === 0 || payload.length > SHADOW_BYTES_MAX) return {};
  const json = parse(payload);
  const token =
    typeof json === "object" && json !== null && !Array.isArray(json) ? json["clientToken"] : undefined;
  return typeof token === "string" ? { clientToken: token } : {};
}
