import * as z from "zod";
import type { Operation } from "../service.ts";
import { nameInArn } from "./arn.ts";
import { invalid, Name, operation, page, PageInput } from "./operation.ts";
import type { Things } from "./things.ts";

const AttributePayload = z
  .object({ attributes: z.record(z.string(), z.string()).nullish(), merge: z.boolean().nullish() })
  .nullish();
export const GroupProperties = z
  .object({ thingGroupDescription: z.string().nullish(), attributePayload: AttributePayload })
  .nullish();
const ThingInput = z.object({ thingName: Name });
const GroupInput = z.object({ thingGroupName: Name });
const MembershipInput = z.object({
  thingName: Name.nullish(),
  thingArn: z.string().nullish(),
  thingGroupName: Name.nullish(),
  thingGroupArn: z.string().nullish(),
});

/** Things, types and groups by AWS IoT's own operations. */
export function thingOperations(registry: Things): Record<string, Operation> {
  return {
    CreateThing: operation(
      z.object({ thingName: Name, thingTypeName: Name.nullish(), attributePayload: AttributePayload }),
      ({ thingName, thingTypeName, attributePayload }) => {
        const thing = registry.createThing(
          thingName,
          thingTypeName ?? undefined,
          attributePayload?.attributes ?? undefined,
        );
        return { thingName, thingArn: registry.arn("thing", thingName), thingId: thing.thingId };
      },
    ),
    UpdateThing: operation(
      z.object({ thingName: Name, thingTypeName: Name.nullish(), attributePayload: AttributePayload }),
      ({ thingName, thingTypeName, attributePayload }) => {
        registry.updateThing(thingName, {
          ...given("thingTypeName", thingTypeName),
          ...given("attributes", attributePayload?.attributes),
          ...given("merge", attributePayload?.merge),
        });
        return {};
      },
    ),
    DeleteThing: operation(ThingInput, ({ thingName }) => {
      registry.thing(thingName);
      registry.deleteThing(thingName);
      return {};
    }),
    DescribeThing: operation(ThingInput, ({ thingName }) => ({
      ...registry.thing(thingName),
      defaultClientId: thingName,
      thingArn: registry.arn("thing", thingName),
    })),
    ListThings: operation(
      z.object({
        ...PageInput,
        attributeName: z.string().nullish(),
        attributeValue: z.string().nullish(),
        thingTypeName: Name.nullish(),
      }),
      (input) => {
        const wanted = [...registry.things.entries()].filter(
          ([, thing]) =>
            (typeof input.thingTypeName !== "string" || thing.thingTypeName === input.thingTypeName) &&
            (typeof input.attributeName !== "string" ||
              thing.attributes[input.attributeName] === input.attributeValue),
        );
        const { items, nextToken } = page(wanted, ([name]) => name, input);
        const things = items.map(([name, { thingName, thingTypeName, attributes, version }]) => ({
          thingName,
          thingTypeName,
          attributes,
          version,
          thingArn: registry.arn("thing", name),
        }));
        return { things, nextToken };
      },
    ),
    ...groupOperations(registry),
  };
}

function groupOperations(registry: Things): Record<string, Operation> {
  const named = (groupName: string) => ({ groupName, groupArn: registry.arn("thinggroup", groupName) });
  const pair = (input: z.infer<typeof MembershipInput>): readonly [string, string] => {
    const thing = input.thingName ?? nameInArn(input.thingArn ?? "", "thing");
    const group = input.thingGroupName ?? nameInArn(input.thingGroupArn ?? "", "thinggroup");
    if (thing === undefined || group === undefined)
      throw invalid("Give thingName or thingArn, and thingGroupName or thingGroupArn.");
    return [thing, group];
  };
  return {
    CreateThingGroup: operation(
      z.object({
        thingGroupName: Name,
        parentGroupName: Name.nullish(),
        thingGroupProperties: GroupProperties,
      }),
      ({ thingGroupName, parentGroupName, thingGroupProperties }) => {
        const group = registry.groups.create(
          thingGroupName,
          parentGroupName ?? undefined,
          thingGroupProperties?.attributePayload?.attributes ?? undefined,
          thingGroupProperties?.thingGroupDescription ?? undefined,
        );
        const { thingGroupId } = group;
        return { thingGroupName, thingGroupArn: registry.arn("thinggroup", thingGroupName), thingGroupId };
      },
    ),
    UpdateThingGroup: operation(
      z.object({ ...VersionedGroup, thingGroupProperties: GroupProperties }),
      ({ thingGroupName, thingGroupProperties, expectedVersion }) => {
        registry.groups.checkKind(thingGroupName, false);
        const change = groupChange(thingGroupProperties, expectedVersion);
        return { version: registry.groups.update(thingGroupName, change) };
      },
    ),
    DeleteThingGroup: deleteGroup(registry, false),
    DescribeThingGroup: operation(GroupInput, ({ thingGroupName }) => {
      const group = registry.groups.get(thingGroupName);
      return {
        thingGroupName,
        thingGroupId: group.thingGroupId,
        thingGroupArn: registry.arn("thinggroup", thingGroupName),
        version: group.version,
        thingGroupProperties: {
          thingGroupDescription: group.description,
          attributePayload: { attributes: group.attributes },
        },
        thingGroupMetadata: {
          parentGroupName: group.parentGroupName,
          rootToParentThingGroups: registry.groups.ancestors(thingGroupName).reverse().map(named),
          creationDate: new Date(group.createdAt),
        },
        ...(group.search === undefined ? {} : { ...group.search, status: "ACTIVE" }),
      };
    }),
    ListThingGroups: operation(
      z.object({
        ...PageInput,
        parentGroup: Name.nullish(),
        namePrefixFilter: z.string().nullish(),
        recursive: z.boolean().nullish(),
      }),
      (input) => {
        const { parentGroup } = input;
        const wanted = [...registry.groups.entries(input.namePrefixFilter ?? "")].filter(([name, group]) =>
          typeof parentGroup !== "string"
            ? input.recursive !== false || group.parentGroupName === undefined
            : group.parentGroupName === parentGroup ||
              (input.recursive === true && registry.groups.ancestors(name).includes(parentGroup)),
        );
        const { items, nextToken } = page(wanted, ([name]) => name, input);
        return { thingGroups: items.map(([name]) => named(name)), nextToken };
      },
    ),
    AddThingToThingGroup: operation(
      MembershipInput.extend({ overrideDynamicGroups: z.boolean().nullish() }),
      (input) => {
        registry.addToGroup(...pair(input), input.overrideDynamicGroups === true);
        return {};
      },
    ),
    RemoveThingFromThingGroup: operation(MembershipInput, (input) => {
      registry.removeFromGroup(...pair(input));
      return {};
    }),
    ListThingsInThingGroup: operation(
      z.object({ thingGroupName: Name, recursive: z.boolean().nullish(), ...PageInput }),
      (input) => {
        registry.groups.get(input.thingGroupName);
        const things = registry.groups.thingsIn(input.thingGroupName, input.recursive ?? false);
        const { items, nextToken } = page(things, (name) => name, input);
        return { things: items, nextToken };
      },
    ),
    ListThingGroupsForThing: operation(z.object({ thingName: Name, ...PageInput }), (input) => {
      registry.thing(input.thingName);
      const { items, nextToken } = page(
        registry.groups.members.leftOf(input.thingName),
        (name) => name,
        input,
      );
      return { thingGroups: items.map(named), nextToken };
    }),
  };
}

/** A group that is changed or deleted only in the version that the caller knows, where one is named. */
export const VersionedGroup = { thingGroupName: Name, expectedVersion: z.number().int().nullish() };

export function groupChange(
  properties: z.infer<typeof GroupProperties>,
  expectedVersion: number | null | undefined,
) {
  return {
    ...given("description", properties?.thingGroupDescription),
    ...given("attributes", properties?.attributePayload?.attributes),
    ...given("merge", properties?.attributePayload?.merge),
    ...given("expectedVersion", expectedVersion),
  };
}

/** Deleting what is not there succeeds, as AWS has it. */
export function deleteGroup(
  registry: Things,
  isDynamic: boolean,
  deleted: (groupName: string) => void = () => {},
): Operation {
  return operation(z.object(VersionedGroup), ({ thingGroupName, expectedVersion }) => {
    if (!registry.groups.has(thingGroupName)) return {};
    registry.groups.checkKind(thingGroupName, isDynamic);
    registry.groups.delete(thingGroupName, expectedVersion ?? undefined);
    deleted(thingGroupName);
    return {};
  });
}

/** The member where it was given: what is absent must not be set to undefined. */
function given<Key extends string, Value>(
  key: Key,
  value: Value | null | undefined,
): { readonly [Member in Key]?: Value } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key widens to string.
  return value === null || value === undefined ? {} : ({ [key]: value } as { [Member in Key]: Value });
}
