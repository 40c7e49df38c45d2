import type { Clock, Random } from "@coalmine/ports";
import { type CloudEvents, type Place, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { iotArn } from "./arn.ts";
import { alreadyExists, deleteConflict, invalid, notFound } from "./operation.ts";
import { Pairs } from "./pairs.ts";

export type Attributes = Readonly<Record<string, string>>;

export interface Thing {
  readonly thingName: string;
  readonly thingId: string;
  readonly thingTypeName: string | undefined;
  readonly attributes: Attributes;
  readonly version: number;
}
export interface ThingGroup {
  readonly thingGroupName: string;
  readonly thingGroupId: string;
  readonly parentGroupName: string | undefined;
  readonly description: string | undefined;
  readonly attributes: Attributes;
  readonly version: number;
  readonly createdAt: number;
  /** Of a dynamic group: what its things are found by. */
  readonly search?: GroupSearch;
}
export interface GroupSearch {
  readonly indexName: string;
  readonly queryString: string;
  readonly queryVersion: string;
}
export interface ThingType {
  readonly thingTypeName: string;
  readonly thingTypeId: string;
  readonly description: string | undefined;
  readonly createdAt: number;
  /** Since when no thing may take it. */
  readonly deprecatedAt?: number;
}

/** @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#thing-limits */
export const ATTRIBUTES_MAX = 50;
const ATTRIBUTES_MAX_WITHOUT_TYPE = 3;
const GROUPS_PER_THING_MAX = 10;
const DYNAMIC_GROUPS_MAX = 100;
const GROUP_DEPTH_MAX = 7;

/** The registry: things, their types and their groups, and which thing holds which certificate. */
export class Things {
  readonly place: Place;
  readonly things: Table<Thing>;
  readonly groups: Table<ThingGroup>;
  readonly types: Table<ThingType>;
  /** Group name to thing name. */
  readonly members: Pairs;
  /** Thing name to certificate id. */
  readonly principals: Pairs;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: CloudEvents;
  readonly #changed: () => void;

  constructor(options: {
    readonly place: Place;
    readonly store: Store;
    readonly clock: Clock;
    readonly random: Random;
    readonly events: CloudEvents;
    /** Called when what a policy may depend on has changed. */
    readonly changed: () => void;
  }) {
    const { store } = options;
    const changed = (): void => this.#changed();
    this.#changed = options.changed;
    this.place = options.place;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#events = options.events;
    this.things = store.table("iot-things");
    this.groups = store.table("iot-thing-groups");
    this.types = store.table("iot-thing-types");
    this.members = new Pairs(store.table("iot-group-members"), changed);
    this.principals = new Pairs(store.table("iot-thing-principals"), changed);
  }

  arn(kind: "thing" | "thinggroup" | "thingtype", name: string): string {
    return iotArn(this.place, kind, name);
  }

  thing(name: string): Thing {
    const thing = this.things.get(name);
    if (thing === undefined) throw notFound(`Thing ${name}`);
    return thing;
  }
  group(name: string): ThingGroup {
    const group = this.groups.get(name);
    if (group === undefined) throw notFound(`Thing group ${name}`);
    return group;
  }
  hasThing(name: string): boolean {
    return this.things.get(name) !== undefined;
  }
  hasThingGroup(name: string): boolean {
    return this.groups.get(name) !== undefined;
  }
  isDynamic(groupName: string): boolean {
    return this.groups.get(groupName)?.search !== undefined;
  }
  /** Those whose things a query finds, oldest first. */
  dynamicGroups(): ThingGroup[] {
    return [...this.groups.entries()]
      .flatMap(([, group]) => (group.search === undefined ? [] : [group]))
      .sort((one, other) => one.createdAt - other.createdAt);
  }
  /** @throws ServiceError where the group is of the other kind, which has operations of its own. */
  checkKind(groupName: string, isDynamic: boolean): void {
    if (this.isDynamic(groupName) !== isDynamic)
      throw invalid(`Thing group ${groupName} is a ${isDynamic ? "static" : "dynamic"} one.`);
  }

  /** Creating what exists alike gives what exists, as AWS does. */
  createThing(name: string, thingTypeName?: string, attributes: Attributes = {}): Thing {
    if (thingTypeName !== undefined) this.#checkType(thingTypeName);
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
    if (change.thingTypeName !== undefined) this.#checkType(change.thingTypeName);
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
    for (const group of this.members.leftOf(name)) this.leave(name, group);
    this.#changed();
    this.#tellThing(name);
  }

  createGroup(
    name: string,
    parentGroupName?: string,
    attributes: Attributes = {},
    description?: string,
    search?: GroupSearch,
  ): ThingGroup {
    if (parentGroupName !== undefined) {
      this.group(parentGroupName);
      this.checkKind(parentGroupName, false);
      if (this.ancestors(parentGroupName).length + 2 > GROUP_DEPTH_MAX)
        throw invalid(`A hierarchy of groups is at most ${GROUP_DEPTH_MAX} deep.`);
    }
    checkAttributes(attributes, ATTRIBUTES_MAX);
    const former = this.groups.get(name);
    if (former !== undefined) {
      if (
        former.parentGroupName === parentGroupName &&
        former.search?.queryString === search?.queryString &&
        isAlike(former.attributes, attributes)
      )
        return former;
      throw alreadyExists(`Thing group ${name}`, former.thingGroupId, this.arn("thinggroup", name));
    }
    if (search !== undefined && this.dynamicGroups().length >= DYNAMIC_GROUPS_MAX)
      throw new ServiceError(
        "LimitExceededException",
        410,
        `There are ${DYNAMIC_GROUPS_MAX} dynamic thing groups already, the most that AWS IoT allows.`,
      );
    const group: ThingGroup = {
      thingGroupName: name,
      thingGroupId: uuid(this.#random),
      parentGroupName,
      description,
      attributes,
      version: 1,
      createdAt: this.#clock.now(),
      ...(search === undefined ? {} : { search }),
    };
    this.groups.set(name, group);
    return group;
  }

  updateGroup(
    name: string,
    change: {
      attributes?: Attributes;
      merge?: boolean;
      description?: string;
      search?: GroupSearch;
      expectedVersion?: number;
    },
  ): number {
    const group = this.group(name);
    this.#checkVersion(group, change.expectedVersion);
    const asked = change.attributes ?? group.attributes;
    const attributes = change.merge === true ? { ...group.attributes, ...asked } : asked;
    checkAttributes(attributes, ATTRIBUTES_MAX);
    const version = group.version + 1;
    const description = change.description ?? group.description;
    const { search = group.search } = change;
    this.groups.set(name, {
      ...group,
      attributes,
      description,
      version,
      ...(search === undefined ? {} : { search }),
    });
    return version;
  }

  deleteGroup(name: string, expectedVersion?: number): void {
    this.#checkVersion(this.group(name), expectedVersion);
    if (this.children(name).length > 0)
      throw deleteConflict(`Cannot delete thing group ${name}: it has child groups.`);
    for (const thing of this.members.rightOf(name)) this.leave(thing, name);
    this.groups.delete(name);
  }

  #checkVersion({ thingGroupName, version }: ThingGroup, expected: number | undefined): void {
    if (expected !== undefined && expected !== version)
      throw new ServiceError(
        "VersionConflictException",
        409,
        `The version of thing group ${thingGroupName} is ${version}, not ${expected}.`,
      );
  }

  /** With `overDynamic` a thing that is in as many groups as it may leaves its newest dynamic one for this. */
  addToGroup(thingName: string, groupName: string, overDynamic = false): void {
    this.thing(thingName);
    this.group(groupName);
    this.checkKind(groupName, false);
    const groups = this.members.leftOf(thingName);
    if (groups.includes(groupName)) return;
    if (groups.length >= GROUPS_PER_THING_MAX) {
      const least = overDynamic
        ? this.dynamicGroups().findLast((group) => groups.includes(group.thingGroupName))
        : undefined;
      if (least === undefined)
        throw invalid(
          `Thing ${thingName} is in ${GROUPS_PER_THING_MAX} groups already, the most that AWS IoT allows.`,
        );
      this.leave(thingName, least.thingGroupName);
    }
    this.members.add(groupName, thingName);
    this.#tellMembership(thingName, groupName, true);
  }

  removeFromGroup(thingName: string, groupName: string): void {
    this.thing(thingName);
    this.group(groupName);
    this.checkKind(groupName, false);
    this.leave(thingName, groupName);
  }

  /** A dynamic group takes a thing in, where that may be in one more. */
  join(thingName: string, groupName: string): void {
    if (this.members.leftOf(thingName).length >= GROUPS_PER_THING_MAX) return;
    if (this.members.add(groupName, thingName)) this.#tellMembership(thingName, groupName, true);
  }
  leave(thingName: string, groupName: string): void {
    if (this.members.delete(groupName, thingName)) this.#tellMembership(thingName, groupName, false);
  }

  /** The groups above a group, nearest first. */
  ancestors(groupName: string): string[] {
    const above: string[] = [];
    for (let at = this.groups.get(groupName)?.parentGroupName; at !== undefined;)
      if (above.push(at) > GROUP_DEPTH_MAX) break;
      else at = this.groups.get(at)?.parentGroupName;
    return above;
  }
  children(groupName: string): string[] {
    return [...this.groups.entries()].flatMap(([name, group]) =>
      group.parentGroupName === groupName ? [name] : [],
    );
  }
  /** The things of a group and of the groups below it, sorted. */
  thingsIn(groupName: string, recursive = true): string[] {
    const own = this.members.rightOf(groupName);
    if (!recursive) return own;
    const below = this.children(groupName).flatMap((child) => this.thingsIn(child));
    return below.length === 0 ? own : [...new Set([...own, ...below])].sort();
  }
  /** Whether the thing is in the group or in one below it. */
  isIn(thingName: string, groupName: string): boolean {
    return this.members
      .leftOf(thingName)
      .some((group) => group === groupName || this.ancestors(group).includes(groupName));
  }

  /** The groups of a thing as Greengrass tells them to a core device. */
  groupsOf(thingName: string): {
    thingGroupName: string;
    thingGroupArn: string;
    rootToParentThingGroups: { thingGroupName: string; thingGroupArn: string }[];
  }[] {
    const named = (name: string) => ({ thingGroupName: name, thingGroupArn: this.arn("thinggroup", name) });
    return this.members.leftOf(thingName).map((name) => ({
      ...named(name),
      rootToParentThingGroups: this.ancestors(name).reverse().map(named),
    }));
  }

  #tellMembership(thingName: string, thingGroupName: string, member: boolean): void {
    this.#events.emit({ kind: "group-membership", thingName, thingGroupName, member, at: this.#clock.now() });
  }
  #tellThing(thingName: string): void {
    this.#events.emit({ kind: "thing-changed", thingName, at: this.#clock.now() });
  }

  #checkType(name: string): void {
    const type = this.types.get(name);
    if (type === undefined) throw notFound(`Thing type ${name}`);
    if (type.deprecatedAt !== undefined) throw invalid(`Thing type ${name} is deprecated.`);
  }

  createType(name: string, description?: string): ThingType {
    const former = this.types.get(name);
    if (former !== undefined) {
      if (former.description === description) return former;
      throw alreadyExists(`Thing type ${name}`, former.thingTypeId, this.arn("thingtype", name));
    }
    const type = {
      thingTypeName: name,
      thingTypeId: uuid(this.#random),
      description,
      createdAt: this.#clock.now(),
    };
    this.types.set(name, type);
    return type;
  }
}

function checkAttributes(attributes: Attributes, max: number): void {
  const names = Object.keys(attributes);
  if (names.length > max)
    throw invalid(`${names.length} attributes are too many, at most ${max} are allowed here.`);
  for (const [name, value] of Object.entries(attributes)) {
    if (!/^[a-zA-Z0-9_.,@/:#-]{1,128}$/.test(name))
      throw invalid(`The attribute name "${name}" is not allowed.`);
    if (!/^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/.test(value))
      throw invalid(`The value of attribute ${name} holds characters that AWS IoT does not allow.`);
  }
}

function isAlike(one: Attributes, other: Attributes): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
