import { type GreengrassV2Client, ListInstalledComponentsCommand } from "@aws-sdk/client-greengrassv2";

export interface InstalledComponent {
  readonly name: string;
  readonly version: string;
  /** As Greengrass spells it; `UNKNOWN` where it says nothing. */
  readonly state: string;
}

const PAGE = 100;
/** A device of ours has some ten components. */
const PAGES_MAX = 10;

/** What the cloud was told of a core device's components; nothing while it does not know the device. */
export async function installedComponents(
  client: GreengrassV2Client,
  coreDeviceThingName: string,
): Promise<readonly InstalledComponent[]> {
  const found: InstalledComponent[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    try {
      const answer = await client.send(
        new ListInstalledComponentsCommand({
          coreDeviceThingName,
          topologyFilter: "ALL",
          maxResults: PAGE,
          ...(nextToken === undefined ? {} : { nextToken }),
        }),
      );
      for (const {
        componentName = "",
        componentVersion = "",
        lifecycleState = "UNKNOWN",
      } of answer.installedComponents ?? [])
        found.push({ name: componentName, version: componentVersion, state: lifecycleState });
      nextToken = answer.nextToken;
    } catch (failure) {
      if (failure instanceof Error && failure.name === "ResourceNotFoundException") return [];
      throw failure;
    }
    if (nextToken === undefined) break;
  }
  return found;
}
