import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import type { Operation } from "../service.ts";
import { invalid, Name, operation, page, PageInput } from "./operation.ts";
import type { ThingType } from "./thing-types.ts";
import type { Things } from "./things.ts";

const TypeOnly = z.object({ thingTypeName: Name });
/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteThingType.html */
const DEPRECATED_MS_MIN = 5 * 60_000;

/** Thing types by AWS IoT's own operations: made, deprecated, and deleted five minutes after that. */
export function thingTypeOperations(registry: Things, clock: Clock): Record<string, Operation> {
  const { types } = registry;
  const told = ({ thingTypeName, description, createdAt, deprecatedAt }: ThingType) => ({
    thingTypeName,
    thingTypeArn: registry.arn("thingtype", thingTypeName),
    thingTypeProperties: { thingTypeDescription: description },
    thingTypeMetadata: {
      deprecated: deprecatedAt !== undefined,
      ...(deprecatedAt === undefined ? {} : { deprecationDate: new Date(deprecatedAt) }),
      creationDate: new Date(createdAt),
    },
  });
  return {
    CreateThingType: operation(
      TypeOnly.extend({
        thingTypeProperties: z.object({ thingTypeDescription: z.string().nullish() }).nullish(),
      }),
      ({ thingTypeName, thingTypeProperties }) => {
        const description = thingTypeProperties?.thingTypeDescription ?? undefined;
        const { thingTypeId } = types.create(thingTypeName, description);
        return { thingTypeName, thingTypeArn: registry.arn("thingtype", thingTypeName), thingTypeId };
      },
    ),
    DescribeThingType: operation(TypeOnly, ({ thingTypeName }) => {
      const type = types.get(thingTypeName);
      return { ...told(type), thingTypeId: type.thingTypeId };
    }),
    ListThingTypes: operation(z.object({ ...PageInput, thingTypeName: Name.nullish() }), (input) => {
      const all = [...types.table.entries()].filter(
        ([name]) => typeof input.thingTypeName !== "string" || name === input.thingTypeName,
      );
      const { items, nextToken } = page(all, ([name]) => name, input);
      return { thingTypes: items.map(([, type]) => told(type)), nextToken };
    }),
    DeprecateThingType: operation(
      TypeOnly.extend({ undoDeprecate: z.boolean().nullish() }),
      ({ thingTypeName, undoDeprecate }) => {
        const { deprecatedAt, ...type } = types.get(thingTypeName);
        const since = deprecatedAt ?? clock.now();
        types.table.set(thingTypeName, undoDeprecate === true ? type : { ...type, deprecatedAt: since });
        return {};
      },
    ),
    DeleteThingType: operation(TypeOnly, ({ thingTypeName }) => {
      const { deprecatedAt } = types.get(thingTypeName);
      if (deprecatedAt === undefined || clock.now() - deprecatedAt < DEPRECATED_MS_MIN)
        throw invalid(`Thing type ${thingTypeName} must have been deprecated for five minutes.`);
      for (const [thingName, thing] of registry.things.entries())
        if (thing.thingTypeName === thingTypeName)
          throw invalid(`Thing type ${thingTypeName} is that of ${thingName} still.`);
      types.table.delete(thingTypeName);
      return {};
    }),
  };
}
