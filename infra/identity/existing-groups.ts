import * as z from "zod";
import { names } from "./identity.ts";

/** As DescribeThingGroup answers. @see https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeThingGroup.html */
export const ExistingGroup = z.looseObject({
  thingGroupName: z.string(),
  queryString: z.string().optional(),
  thingGroupMetadata: z.looseObject({ parentGroupName: z.string().optional() }).optional(),
});

const ours: readonly string[] = [names.fleetGroup, names.mainGroup, names.canaryGroup];

/** Why a group that exists cannot be taken as it is; undefined where it can. */
export function groupFault({
  thingGroupName,
  queryString,
  thingGroupMetadata,
}: z.infer<typeof ExistingGroup>): string | undefined {
  if (!ours.includes(thingGroupName))
    return `the existing group ${thingGroupName} is none of ${ours.join(", ")}; leave it out of existingGroups.`;
  if (queryString !== undefined)
    return `the group ${thingGroupName} exists as a dynamic group (${queryString}), and devices cannot be moved into one. Delete it with \`aws iot delete-dynamic-thing-group --thing-group-name ${thingGroupName}\`; the stack makes a static one.`;
  const parent = thingGroupMetadata?.parentGroupName;
  if (parent !== undefined)
    return `the group ${thingGroupName} exists below ${parent}, so deployments to ${parent} would reach canary and main alike. Delete it and let the stack make it, once its devices are out of it.`;
  return undefined;
}
