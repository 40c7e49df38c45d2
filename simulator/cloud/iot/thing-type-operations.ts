import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import type { Operation } from "../service.ts";
import { invalid, Name, notFound, operation, page, PageInput } from "./operation.ts";
import type { Things, ThingType } from "./things.ts";

const TypeOnly = z.object({ thingTypeName: Name });
/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteThingType.html */
const DEPRECATED_MS_MIN = 5 * 60_000;

/** Thing types by AWS IoT's own operations: made, deprecated, and deleted five minutes after that. */
export function thingTypeOperations(registry: Things, clock: Clock): Record<string, Operation> {
  const typeOf = (name: string): ThingType => {
    const type = registry.types.get(name);
    if (type === undefined) throw notFound(`Thing type ${name}`);
    return type;
  };
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
        const { thingTypeId } = registry.createType(thingTypeName, description);
        return { thingTypeName, thingTypeArn: registry.arn("thingtype", thingTypeName), thingTypeId };
      },
    ),
    DescribeThingType: operation(TypeOnly, ({ thingTypeName }) => {
      const type = typeOf(thingTypeName);
      return { ...told(type), thingTypeId: type.thingTypeId };
    }),
    ListThingTypes: operation(z.object({ ...PageInput, thingTypeName: Name.nullish() }), (input) => {
      const all = [...registry.types.entries()].filter(
        ([name]) => typeof input.thingTypeName !== "string" || name === input.thingTypeName,
      );
      const { items, nextToken } = page(all, ([name]) => name, input);
      return { thingTypes: items.map(([, type]) => told(type)), nextToken };
    }),
    DeprecateThingType: operation(
      TypeOnly.extend({ undoDeprecate: z.boolean().nullish() }),
      ({ thingTypeName, undoDeprecate }) => {
        const { deprecatedAt, ...type } = typeOf(thingTypeName);
        const since = deprecatedAt ?? clock.now();
        registry.types.set(thingTypeName, undoDeprecate === true ? type : { ...type, deprecatedAt: since });
        return {};
      },
    ),
    DeleteThingType: operation(TypeOnly, ({ thingTypeName }) => {
      const { deprecatedAt } = typeOf(thingTypeName);
      if (deprecatedAt === undefined || clock.now() - deprecatedAt < DEPRECATED_MS_MIN)
        throw invalid(`Thing type ${thingTypeName} must have been deprecated for five minutes.`);
      for (const [thingName, thing] of registry.things.entries())
        if (thing.thingTypeName === thingTypeName)
          throw invalid(`Thing type ${thingTypeName} is that of ${thingName} still.`);
      registry.types.delete(thingTypeName);
      return {};
    }),
  };
}
