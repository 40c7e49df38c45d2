import * as z from "zod";
import { invalid, Name, notFound, operation, page, PageInput } from "../iot/operation.ts";
import { deleteGroup, groupChange, GroupProperties, VersionedGroup } from "../iot/thing-operations.ts";
import type { GroupSearch } from "../iot/thing-groups.ts";
import type { Things } from "../iot/things.ts";
import { type Operation, ServiceError } from "../service.ts";
import type { DynamicGroups } from "./dynamic-groups.ts";
import { type FleetIndex, INDEX_NAME, QUERY_VERSION, ThingIndexing } from "./fleet-index.ts";

const Search = {
  indexName: z.string().nullish(),
  queryVersion: z.string().nullish(),
};

/** The operations of the fleet index and of dynamic thing groups, which belong to the service `iot`. */
export function fleetIndexOperations(options: {
  readonly things: Things;
  readonly index: FleetIndex;
  readonly dynamicGroups: DynamicGroups;
}): Record<string, Operation> {
  const { things, index, dynamicGroups } = options;
  return {
    GetIndexingConfiguration: () => ({
      thingIndexingConfiguration: index.configuration,
      thingGroupIndexingConfiguration: { thingGroupIndexingMode: "OFF" },
    }),
    UpdateIndexingConfiguration: operation(
      z.object({
        thingIndexingConfiguration: ThingIndexing.nullish(),
        thingGroupIndexingConfiguration: z
          .object({ thingGroupIndexingMode: z.literal("OFF", "the index of thing groups is not simulated") })
          .nullish(),
      }),
      ({ thingIndexingConfiguration }) => {
        if (thingIndexingConfiguration === null || thingIndexingConfiguration === undefined) return {};
        index.configure(thingIndexingConfiguration);
        dynamicGroups.recomputeAll();
        return {};
      },
    ),
    ListIndices: () => ({ indexNames: index.isOn ? [INDEX_NAME] : [] }),
    DescribeIndex: operation(z.object({ indexName: z.string() }), ({ indexName }) => {
      if (!index.isOn || indexName !== INDEX_NAME) throw notFound(`Index ${indexName}`);
      const { thingIndexingMode, thingConnectivityIndexingMode } = index.configuration;
      const withConnectivity = thingConnectivityIndexingMode === "STATUS";
      return {
        indexName,
        indexStatus: "ACTIVE",
        schema: `${thingIndexingMode}${withConnectivity ? "_AND_CONNECTIVITY_STATUS" : ""}`,
      };
    }),
    SearchIndex: operation(z.object({ ...Search, ...PageInput, queryString: z.string() }), (input) => {
      if (!index.isOn) throw new ServiceError("IndexNotReadyException", 400, "The index of things is off.");
      const query = index.query(input.indexName, input.queryVersion, input.queryString);
      const found = [...things.things.entries()].filter(([thingName]) => index.has(query, thingName));
      const { items, nextToken } = page(found, ([thingName]) => thingName, {
        ...input,
        maxResults: input.maxResults ?? 100,
      });
      return { things: items.map(([thingName]) => index.document(thingName)), nextToken };
    }),
    CreateDynamicThingGroup: operation(
      z.object({
        ...Search,
        thingGroupName: Name,
        queryString: z.string(),
        thingGroupProperties: GroupProperties,
      }),
      ({ thingGroupName, thingGroupProperties, ...asked }) => {
        if (!index.isOn)
          throw invalid(
            "Dynamic thing groups need the index of things: set thingIndexingMode by UpdateIndexingConfiguration.",
          );
        const search = searchOf(asked);
        index.query(search.indexName, search.queryVersion, search.queryString);
        const { attributes, description } = groupChange(thingGroupProperties, undefined);
        const { thingGroupId } = things.groups.create(
          thingGroupName,
          undefined,
          attributes,
          description,
          search,
        );
        dynamicGroups.changed(thingGroupName);
        return {
          thingGroupName,
          thingGroupArn: things.arn("thinggroup", thingGroupName),
          thingGroupId,
          ...search,
        };
      },
    ),
    UpdateDynamicThingGroup: operation(
      z.object({
        ...Search,
        ...VersionedGroup,
        queryString: z.string().nullish(),
        thingGroupProperties: GroupProperties,
      }),
      ({ thingGroupName, thingGroupProperties, expectedVersion, ...asked }) => {
        const { search: former } = things.groups.get(thingGroupName);
        things.groups.checkKind(thingGroupName, true);
        const search = searchOf({ ...asked, queryString: asked.queryString ?? former?.queryString ?? "" });
        index.query(search.indexName, search.queryVersion, search.queryString);
        const change = groupChange(thingGroupProperties, expectedVersion);
        const version = things.groups.update(thingGroupName, { ...change, search });
        dynamicGroups.changed(thingGroupName);
        return { version };
      },
    ),
    DeleteDynamicThingGroup: deleteGroup(things, true, (groupName) => dynamicGroups.deleted(groupName)),
  };
}

function searchOf({
  indexName,
  queryVersion,
  queryString,
}: {
  readonly indexName?: string | null | undefined;
  readonly queryVersion?: string | null | undefined;
  readonly queryString: string;
}): GroupSearch {
  return {
    indexName: indexName ?? INDEX_NAME,
    queryVersion: queryVersion ?? QUERY_VERSION,
    queryString,
  };
}
