import type { Clock, Random } from "@coalmine/ports";
import type { CloudEvents, Place } from "../service.ts";
import type { Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { iotArn } from "./arn.ts";
import { type Attributes, ATTRIBUTES_MAX, checkAttributes, isAlike } from "./attributes.ts";
import { alreadyExists, invalid, notFound } from "./operation.ts";
import { Pairs } from "./pairs.ts";
import { type RegistryOptions, ThingGroups } from "./thing-groups.ts";
import { ThingTypes } from "./thing-types.ts";

export interface Thing {
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName: string | undefined;
  readonly attributes: Attributes;
  readonly version: number;
}

const ATTRIBUTES_MAX_WITHOUT_TYPE = 3;

/** The registry: things, their types and their groups, and which thing holds which certificate. */
export class Things {
  readonly place: Place;
  readonly things: Table<Thing>;
  readonly groups: ThingGroups;
  readonly types: ThingTypes;
  /** Thing name to certificate id. */
  readonly principals: Pairs;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: CloudEvents;
  readonly #changed: () => void;

  constructor(options: RegistryOptions) {
    const { store } = options;
    this.#changed = options.changed;
    this.place = options.place;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#events = options.events;
    this.things = store.table("iot-things");
    this.groups = new ThingGroups(options);
    this.types = new ThingTypes(options);
    this.principals = new Pairs(store.table("iot-thing-principals"), options.changed);
  }

  arn(kind: "thing" | "thinggroup" | "thingtype", name: string): string {
    return iotArn(this.place, kind, name);
  }

  thing(name: string): Thing {
    const thing = this.things.get(name);
    if (thing === undefined) throw notFound(`Thing ${name}`);
    return thing;
  }
  hasThing(name: string): boolean {
    return this.things.get(name) !== undefined;
  }

  /** Creating what exists alike gives what exists, as AWS does. */
  createThing(name: string, thingTypeName?: string, attributes: Attributes = {}): Thing {
    if (thingTypeName !== undefined) this.types.checkTakes(thingTypeName);
    checkAttributes(attributes, thingTypeName === undefined ? ATTRIBUTES_MAX_WITHOUT_TYPE : ATTRIBUTES_MAX);
    const former = this.things.get(name);
    if (former !== undefined) {
      if (former.thingTypeName === thingTypeName && isAlike(former.attributes, attributes)) return former;
      throw alreadyExists(`Thing ${name}`, former.thingId, this.arn("thing", name));
    }
    const thing: Thing = {
      thingName: name,
      thingId: uuid(this.#random),
      thingTypeName,
      attributes,
      version: 1,
    };
    this.things.set(name, thing);
    this.#tellThing(name);
    return thing;
  }

  updateThing(
    name: string,
    change: { attributes?: Attributes; merge?: boolean; thingTypeName?: string },
  ): void {
    const thing = this.thing(name);
    if (change.thingTypeName !== undefined) this.types.checkTakes(change.thingTypeName);
    const thingTypeName = change.thingTypeName ?? thing.thingTypeName;
    const asked = change.attributes ?? thing.attributes;
    const merged = change.merge === true ? { ...thing.attributes, ...asked } : asked;
    // An empty value removes the attribute.
    const attributes = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ""));
    checkAttributes(attributes, thingTypeName === undefined ? ATTRIBUTES_MAX_WITHOUT_TYPE : ATTRIBUTES_MAX);
    this.things.set(name, { ...thing, thingTypeName, attributes, version: thing.version + 1 });
    this.#changed();
    this.#tellThing(name);
  }

  deleteThing(name: string): void {
    if (this.principals.rightOf(name).length > 0)
      throw invalid(`Cannot delete. Thing ${name} is still attached to one or more principals.`);
    // First of all, so that no dynamic group takes it in again while it leaves the others.
    this.things.delete(name);
    for (const group of this.groups.members.leftOf(name)) this.groups.leave(name, group);
    this.#changed();
    this.#tellThing(name);
  }

  /** With `overDynamic` a thing that is in as many groups as it may leaves its newest dynamic one for this. */
  addToGroup(thingName: string, groupName: string, overDynamic = false): void {
    this.thing(thingName);
    this.groups.add(thingName, groupName, overDynamic);
  }

  removeFromGroup(thingName: string, groupName: string): void {
    this.thing(thingName);
    this.groups.remove(thingName, groupName);
  }

  #tellThing(thingName: string): void {
    this.#events.emit({ kind: "thing-changed", thingName, at: this.#clock.now() });
  }
}
