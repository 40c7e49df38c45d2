import type { ThingGroup } from "../iot/thing-groups.ts";
import type { Things } from "../iot/things.ts";
import type { CloudEvents } from "../service.ts";
import type { FleetIndex } from "./fleet-index.ts";
import { type FleetQuery, parseQuery } from "./query.ts";

/**
 * Keeps the membership of dynamic groups at what their queries find: as soon as the registry, a shadow or a connection
 * changes. Whoever follows memberships (jobs, deployments, policies) needs to know no more of them.
 */
export class DynamicGroups {
  readonly #things: Things;
  readonly #index: FleetIndex;
  readonly #queries = new Map<string, FleetQuery>();

  constructor(options: {
    readonly things: Things;
    readonly index: FleetIndex;
    readonly events: CloudEvents;
  }) {
    this.#things = options.things;
    this.#index = options.index;
    for (const group of this.#things.groups.dynamic()) this.#read(group);
    this.recomputeAll();
    options.events.on((event) => {
      if (this.#queries.size === 0) return;
      if (event.kind === "thing-changed" || event.kind === "shadow-changed") this.#recompute(event.thingName);
      else if (event.kind === "mqtt-connection") this.#recompute(event.clientId);
      else if (event.kind === "group-membership" && !this.#things.groups.isDynamic(event.thingGroupName))
        this.#recompute(event.thingName);
    });
  }

  /** The group is new, or its query is. */
  changed(groupName: string): void {
    this.#read(this.#things.groups.get(groupName));
    this.recomputeAll();
  }

  deleted(groupName: string): void {
    this.#queries.delete(groupName);
  }

  recomputeAll(): void {
    if (this.#queries.size > 0)
      for (const [thingName] of this.#things.things.entries()) this.#recompute(thingName);
  }

  #read({ thingGroupName, search }: ThingGroup): void {
    if (search !== undefined) this.#queries.set(thingGroupName, parseQuery(search.queryString));
  }

  /** Without an index memberships stay as they are. Older groups come first where a thing may not be in all. */
  #recompute(thingName: string): void {
    if (!this.#index.isOn || !this.#things.hasThing(thingName)) return;
    for (const [groupName, query] of this.#queries)
      if (this.#index.has(query, thingName)) this.#things.groups.join(thingName, groupName);
      else this.#things.groups.leave(thingName, groupName);
  }
}
