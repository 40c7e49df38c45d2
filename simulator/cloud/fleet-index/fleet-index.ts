import type { Clock, Instant, JsonObject } from "@coalmine/ports";
import * as z from "zod";
import { invalid } from "../iot/operation.ts";
import type { Thing, Things } from "../iot/things.ts";
import { type CloudEvents, ServiceError } from "../service.ts";
import type { ShadowId } from "../shadows/shadows.ts";
import type { Store, Table } from "../store/store.ts";
import { limits } from "./limits.ts";
import { type FieldValue, type FleetQuery, type IndexedThing, matches, parseQuery } from "./query.ts";

export const INDEX_NAME = "AWS_Things";
export const QUERY_VERSION = "2017-09-30";

export const ThingIndexing = z.object({
  thingIndexingMode: z.enum(["OFF", "REGISTRY", "REGISTRY_AND_SHADOW"]),
  thingConnectivityIndexingMode: z.enum(["OFF", "STATUS"]).nullish(),
  namedShadowIndexingMode: z.enum(["OFF", "ON"]).nullish(),
  // Device Defender does not exist here.
  deviceDefenderIndexingMode: z.literal("OFF").nullish(),
  filter: z.object({ namedShadowNames: z.array(z.string()).max(limits.namedShadowsMax).nullish() }).nullish(),
});
export type ThingIndexing = z.infer<typeof ThingIndexing>;

export interface Connectivity {
  readonly connected: boolean;
  readonly timestamp: Instant;
  readonly disconnectReason?: string;
}

export interface IndexSources {
  readonly things: Things;
  readonly shadowOf: (id: ShadowId) => JsonObject | undefined;
  readonly isConnected: (clientId: string) => boolean;
  readonly store: Store;
  readonly clock: Clock;
  readonly events: CloudEvents;
}

/** The fleet index `AWS_Things`: read out of the registry and the shadows whenever it is asked, so never behind them. */
export class FleetIndex {
  readonly #sources: IndexSources;
  readonly #configuration: Table<ThingIndexing>;
  readonly #connectivity: Table<Connectivity>;

  constructor(sources: IndexSources) {
    this.#sources = sources;
    this.#configuration = sources.store.table("iot-indexing");
    this.#connectivity = sources.store.table("iot-connectivity");
    // No connection outlives a process.
    for (const [thingName, was] of this.#connectivity.entries())
      if (was.connected) this.#note(thingName, false, "SERVER_ERROR");
    sources.events.on((event) => {
      if (event.kind !== "mqtt-connection" || !this.#hasConnectivity) return;
      if (sources.things.hasThing(event.clientId)) this.#note(event.clientId, event.connected, event.reason);
    });
  }

  get configuration(): ThingIndexing {
    return this.#configuration.get(INDEX_NAME) ?? { thingIndexingMode: "OFF" };
  }

  get isOn(): boolean {
    return this.configuration.thingIndexingMode !== "OFF";
  }

  configure(asked: ThingIndexing): void {
    const hadConnectivity = this.#hasConnectivity;
    this.#configuration.set(INDEX_NAME, asked);
    if (hadConnectivity || !this.#hasConnectivity) return;
    // What was known when connections were last indexed may be over.
    for (const [thingName] of this.#sources.things.things.entries()) {
      const connected = this.#sources.isConnected(thingName);
      if (connected !== (this.#connectivity.get(thingName)?.connected ?? false))
        this.#note(thingName, connected, "UNKNOWN");
    }
  }

  /** @throws ServiceError where the query cannot be read, or names what is not indexed. */
  query(
    indexName: string | null | undefined,
    queryVersion: string | null | undefined,
    text: string,
  ): FleetQuery {
    if ((indexName ?? INDEX_NAME) !== INDEX_NAME)
      throw new ServiceError(
        "ResourceNotFoundException",
        404,
        `There is no index ${indexName}, only ${INDEX_NAME}.`,
      );
    if ((queryVersion ?? QUERY_VERSION) !== QUERY_VERSION)
      throw invalid(`The query version ${queryVersion} does not exist, only ${QUERY_VERSION}.`);
    const query = parseQuery(text);
    for (const field of query.fields) {
      const missing = this.#missingFor(field);
      if (missing !== undefined)
        throw new ServiceError(
          "InvalidQueryException",
          400,
          `${field} is not indexed: set ${missing} by UpdateIndexingConfiguration.`,
        );
    }
    return query;
  }

  has(query: FleetQuery, thingName: string): boolean {
    const thing = this.#sources.things.things.get(thingName);
    return thing !== undefined && matches(query, this.#indexed(thing));
  }

  /** What SearchIndex tells of a thing. */
  document(thingName: string): object {
    const { things } = this.#sources;
    const { thingId, thingTypeName, attributes } = things.thing(thingName);
    const shadow = this.#shadows(thingName);
    return {
      thingName,
      thingId,
      thingTypeName,
      thingGroupNames: things.groups.members.leftOf(thingName),
      attributes,
      shadow: shadow === undefined ? undefined : JSON.stringify(shadow),
      connectivity: this.#hasConnectivity
        ? (this.#connectivity.get(thingName) ?? { connected: false })
        : undefined,
    };
  }

  #indexed(thing: Thing): IndexedThing {
    const { things } = this.#sources;
    const { thingName, thingId, thingTypeName, attributes } = thing;
    // Only static groups: what depends on other dynamic groups could have no answer.
    const groups = () =>
      things.groups.members.leftOf(thingName).filter((name) => !things.groups.isDynamic(name));
    return {
      valuesOf: (field) => {
        const [section = "", ...path] = field.split(".");
        switch (section) {
          case "thingName":
            return [thingName];
          case "thingId":
            return [thingId];
          case "thingTypeName":
            return thingTypeName === undefined ? [] : [thingTypeName];
          case "thingGroupNames":
            return groups();
          case "attributes":
            return valuesIn(attributes[path.join(".")]);
          case "connectivity":
            return this.#connectivityValues(thingName, path[0] ?? "");
          case "shadow":
            return [...leaves(at(this.#shadows(thingName), path))];
          default:
            return [];
        }
      },
      allValues: () => [
        thingName,
        thingId,
        ...valuesIn(thingTypeName),
        ...groups(),
        ...Object.values(attributes),
        ...leaves(this.#shadows(thingName)),
      ],
    };
  }

  #connectivityValues(thingName: string, member: string): readonly FieldValue[] {
    const { connected = false, timestamp, disconnectReason } = this.#connectivity.get(thingName) ?? {};
    const values = { connected, timestamp, disconnectReason };
    return valuesIn(Object.entries(values).find(([name]) => name === member)?.[1]);
  }

  /** As queries address them: the classic shadow's sections, and those of named ones below `name`. */
  #shadows(thingName: string): object | undefined {
    const { thingIndexingMode, namedShadowIndexingMode, filter } = this.configuration;
    const { shadowOf } = this.#sources;
    const classic =
      thingIndexingMode === "REGISTRY_AND_SHADOW"
        ? shadowOf({ thingName, shadowName: undefined })
        : undefined;
    const named = (namedShadowIndexingMode === "ON" ? (filter?.namedShadowNames ?? []) : []).flatMap(
      (shadowName) => {
        const shadow = shadowOf({ thingName, shadowName });
        return shadow === undefined ? [] : [[shadowName, shadow]];
      },
    );
    if (classic === undefined && named.length === 0) return undefined;
    return { ...classic, ...(named.length === 0 ? {} : { name: Object.fromEntries(named) }) };
  }

  get #hasConnectivity(): boolean {
    return this.configuration.thingConnectivityIndexingMode === "STATUS";
  }

  #note(thingName: string, connected: boolean, reason: string): void {
    const timestamp = this.#sources.clock.now();
    this.#connectivity.set(thingName, {
      connected,
      timestamp,
      ...(connected ? {} : { disconnectReason: reason }),
    });
  }

  #missingFor(field: string): string | undefined {
    const { thingIndexingMode, namedShadowIndexingMode, filter } = this.configuration;
    if (field.startsWith("connectivity."))
      return this.#hasConnectivity ? undefined : "thingConnectivityIndexingMode to STATUS";
    const named = /^shadow\.name\.([^.]+)/.exec(field)?.[1];
    if (named !== undefined)
      return namedShadowIndexingMode === "ON" && filter?.namedShadowNames?.includes(named) === true
        ? undefined
        : `namedShadowIndexingMode to ON with ${named} among the filter's namedShadowNames`;
    return field.startsWith("shadow.") && thingIndexingMode !== "REGISTRY_AND_SHADOW"
      ? "thingIndexingMode to REGISTRY_AND_SHADOW"
      : undefined;
  }
}

function valuesIn(value: FieldValue | undefined): readonly FieldValue[] {
  return value === undefined ? [] : [value];
}

/** A member's name may hold dots itself: the longest that fits is taken. */
function at(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value;
  if (typeof value !== "object" || value === null) return undefined;
  for (let length = path.length; length > 0; length--) {
    const name = path.slice(0, length).join(".");
    const found = Object.entries(value).find(([key]) => key === name);
    if (found !== undefined) return at(found[1], path.slice(length));
  }
  return undefined;
}

function* leaves(value: unknown): Iterable<FieldValue> {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") yield value;
  else if (typeof value === "object" && value !== null)
    for (const member of Object.values(value)) yield* leaves(member);
}
