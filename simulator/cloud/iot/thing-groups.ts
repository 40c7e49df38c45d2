import type { Clock, Random } from "@coalmine/ports";
import { type CloudEvents, type Place, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { iotArn } from "./arn.ts";
import { type Attributes, ATTRIBUTES_MAX, checkAttributes, isAlike } from "./attributes.ts";
import { alreadyExists, deleteConflict, invalid, notFound } from "./operation.ts";
import { Pairs } from "./pairs.ts";

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

/** What things and their groups are kept with. */
export interface RegistryOptions {
  readonly place: Place;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: CloudEvents;
  /** Called when what a policy may depend on has changed. */
  readonly changed: () => void;
}

const GROUPS_PER_THING_MAX = 10;
const DYNAMIC_GROUPS_MAX = 100;
const GROUP_DEPTH_MAX = 7;

/** Thing groups, static and dynamic, what is above what, and which things are in them. */
export class ThingGroups {
  /** Group name to thing name. */
  readonly members: Pairs;
  readonly #groups: Table<ThingGroup>;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: CloudEvents;

  constructor(options: RegistryOptions) {
    this.#place = options.place;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#events = options.events;
    this.#groups = options.store.table("iot-thing-groups");
    this.members = new Pairs(options.store.table("iot-group-members"), options.changed);
  }

  get(name: string): ThingGroup {
    const group = this.#groups.get(name);
    if (group === undefined) throw notFound(`Thing group ${name}`);
    return group;
  }
  has(name: string): boolean {
    return this.#groups.get(name) !== undefined;
  }
  /** In order of their names. */
  entries(prefix = ""): Iterable<readonly [string, ThingGroup]> {
    return this.#groups.entries(prefix);
  }
  isDynamic(groupName: string): boolean {
    return this.#groups.get(groupName)?.search !== undefined;
  }
  /** Those whose things a query finds, oldest first. */
  dynamic(): ThingGroup[] {
    return [...this.#groups.entries()]
      .flatMap(([, group]) => (group.search === undefined ? [] : [group]))
      .sort((one, other) => one.createdAt - other.createdAt);
  }
  /** @throws ServiceError where the group is of the other kind, which has operations of its own. */
  checkKind(groupName: string, isDynamic: boolean): void {
    if (this.isDynamic(groupName) !== isDynamic)
      throw invalid(`Thing group ${groupName} is a ${isDynamic ? "static" : "dynamic"} one.`);
  }

  create(
    name: string,
    parentGroupName?: string,
    attributes: Attributes = {},
    description?: string,
    search?: GroupSearch,
  ): ThingGroup {
    if (parentGroupName !== undefined) {
      this.get(parentGroupName);
      this.checkKind(parentGroupName, false);
      if (this.ancestors(parentGroupName).length + 2 > GROUP_DEPTH_MAX)
        throw invalid(`A hierarchy of groups is at most ${GROUP_DEPTH_MAX} deep.`);
    }
    checkAttributes(attributes, ATTRIBUTES_MAX);
    const former = this.#groups.get(name);
    if (former !== undefined) {
      if (
        former.parentGroupName === parentGroupName &&
        former.search?.queryString === search?.queryString &&
        isAlike(former.attributes, attributes)
      )
        return former;
      throw alreadyExists(
        `Thing group ${name}`,
        former.thingGroupId,
        iotArn(this.#place, "thinggroup", name),
      );
    }
    if (search !== undefined && this.dynamic().length >= DYNAMIC_GROUPS_MAX)
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
    this.#groups.set(name, group);
    return group;
  }

  update(
    name: string,
    change: {
      attributes?: Attributes;
      merge?: boolean;
      description?: string;
      search?: GroupSearch;
      expectedVersion?: number;
    },
  ): number {
    const group = this.get(name);
    this.#checkVersion(group, change.expectedVersion);
    const asked = change.attributes ?? group.attributes;
    const attributes = change.merge === true ? { ...group.attributes, ...asked } : asked;
    checkAttributes(attributes, ATTRIBUTES_MAX);
    const version = group.version + 1;
    const description = change.description ?? group.description;
    const { search = group.search } = change;
    this.#groups.set(name, {
      ...group,
      attributes,
      description,
      version,
      ...(search === undefined ? {} : { search }),
    });
    return version;
  }

  delete(name: string, expectedVersion?: number): void {
    this.#checkVersion(this.get(name), expectedVersion);
    if (this.children(name).length > 0)
      throw deleteConflict(`Cannot delete thing group ${name}: it has child groups.`);
    for (const thing of this.members.rightOf(name)) this.leave(thing, name);
    this.#groups.delete(name);
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
  add(thingName: string, groupName: string, overDynamic = false): void {
    this.get(groupName);
    this.checkKind(groupName, false);
    const groups = this.members.leftOf(thingName);
    if (groups.includes(groupName)) return;
    if (groups.length >= GROUPS_PER_THING_MAX) {
      const least = overDynamic
        ? this.dynamic().findLast((group) => groups.includes(group.thingGroupName))
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

  remove(thingName: string, groupName: string): void {
    this.get(groupName);
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
    for (let at = this.#groups.get(groupName)?.parentGroupName; at !== undefined;)
      if (above.push(at) > GROUP_DEPTH_MAX) break;
      else at = this.#groups.get(at)?.parentGroupName;
    return above;
  }
  children(groupName: string): string[] {
    return [...this.#groups.entries()].flatMap(([name, group]) =>
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

  #tellMembership(thingName: string, thingGroupName: string, member: boolean): void {
    this.#events.emit({ kind: "group-membership", thingName, thingGroupName, member, at: this.#clock.now() });
  }
}
