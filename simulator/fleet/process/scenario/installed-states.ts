import * as z from "zod";
import type { ReleaseRegion } from "../../release/release-region.ts";

const Installed = z.object({
  installedComponents: z.array(z.object({ componentName: z.string(), lifecycleState: z.string() })),
});

/** What the cloud was told of each component of a device. */
export async function installedStates(
  cloud: ReleaseRegion["cloud"],
  coreDeviceThingName: string,
): Promise<readonly { readonly name: string; readonly state: string }[]> {
  const { installedComponents } = Installed.parse(
    await cloud.invoke("greengrass", "ListInstalledComponents", {
      coreDeviceThingName,
      topologyFilter: "ALL",
      maxResults: 100,
    }),
  );
  return installedComponents.map(({ componentName, lifecycleState }) => ({
    name: componentName,
    state: lifecycleState,
  }));
}
