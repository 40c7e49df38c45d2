import { DescribeComponentCommand, paginateListComponents } from "@aws-sdk/client-greengrassv2";
import type { PublishedComponent } from "@coalmine/contract/operator-api";
import { eachOf, type Region } from "../../pipeline/controller/region.ts";

/** Every component of the account with its newest version in each target's region, and whether that can be deployed. */
export async function listComponents(regions: readonly Region[]): Promise<PublishedComponent[]> {
  const rows = await Promise.all(regions.map(componentsOf));
  return rows.flat().sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

async function componentsOf({ greengrass, target }: Region): Promise<PublishedComponent[]> {
  const arns: string[] = [];
  for await (const { components = [] } of paginateListComponents(
    { client: greengrass },
    { scope: "PRIVATE" },
  ))
    for (const { latestVersion } of components)
      if (latestVersion?.arn !== undefined) arns.push(latestVersion.arn);
  return eachOf(arns, async (arn): Promise<PublishedComponent> => {
    const {
      componentName = "",
      componentVersion = "",
      status,
    } = await greengrass.send(new DescribeComponentCommand({ arn }));
    const message = status?.message;
    return {
      fleet: target.name,
      region: target.region,
      component: componentName,
      version: componentVersion,
      state: status?.componentState ?? "unknown",
      ...(message === undefined || message === "NONE" || message === "" ? {} : { message }),
    };
  });
}

function placeOf({ fleet, component }: PublishedComponent): string {
  return `${fleet}/${component}`;
}
