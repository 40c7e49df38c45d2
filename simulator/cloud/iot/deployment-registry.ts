import type { RegistryForDeployments } from "../greengrass/jobs-port.ts";
import type { Things } from "./things.ts";

/** The registry as Greengrass asks it. */
export function deploymentRegistry(things: Things): RegistryForDeployments {
  const named = (name: string) => ({ thingGroupName: name, thingGroupArn: things.arn("thinggroup", name) });
  return {
    hasThing: (thingName) => things.hasThing(thingName),
    hasThingGroup: (groupName) => things.groups.has(groupName),
    groupsOf: (thingName) =>
      things.groups.members.leftOf(thingName).map((name) => ({
        ...named(name),
        rootToParentThingGroups: things.groups.ancestors(name).reverse().map(named),
      })),
  };
}
