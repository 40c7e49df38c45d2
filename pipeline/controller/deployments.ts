import { createHash } from "node:crypto";
import {
  CreateDeploymentCommand,
  ListDeploymentsCommand,
  paginateListDeployments,
} from "@aws-sdk/client-greengrassv2";
import type { ComponentSet } from "../rollout/deployment.ts";
import { groupArn, type Region } from "./region.ts";

/** Revisions of one group that are looked through for one of that name. */
const LOOKED_THROUGH_MAX = 300;

/**
 * A new revision of a group under a name, which it is made under once: found by its name where it exists, and where two
 * ask at once they have the same client token. A device where it fails goes back by itself.
 */
export async function deployOnce(
  region: Region,
  group: string,
  name: string,
  components: ComponentSet,
  timeoutMinutes: number,
): Promise<string> {
  const targetArn = groupArn(region, group);
  const known = await findByName(region, targetArn, name);
  if (known !== undefined) return known;
  const { deploymentId = "" } = await region.greengrass.send(
    new CreateDeploymentCommand({
      targetArn,
      deploymentName: name,
      clientToken: createHash("sha256").update(`${targetArn}\n${name}`).digest("hex"),
      components: Object.fromEntries(
        Object.entries(components).map(([component, { version, merge, reset }]) => [
          component,
          {
            componentVersion: version,
            ...(merge === undefined && reset === undefined
              ? {}
              : {
                  configurationUpdate: {
                    ...(merge === undefined ? {} : { merge: JSON.stringify(merge) }),
                    ...(reset === undefined ? {} : { reset }),
                  },
                }),
          },
        ]),
      ),
      deploymentPolicies: {
        failureHandlingPolicy: "ROLLBACK",
        componentUpdatePolicy: { action: "NOTIFY_COMPONENTS", timeoutInSeconds: 60 },
        configurationValidationPolicy: { timeoutInSeconds: 30 },
      },
      iotJobConfiguration: { timeoutConfig: { inProgressTimeoutInMinutes: timeoutMinutes } },
    }),
  );
  return deploymentId;
}

/** The latest revision of a group, by the name it was made under. */
export async function latestOf(
  region: Region,
  group: string,
): Promise<{ readonly name: string; readonly deploymentId: string } | undefined> {
  const { deployments: [latest] = [] } = await region.greengrass.send(
    new ListDeploymentsCommand({ targetArn: groupArn(region, group), historyFilter: "LATEST_ONLY" }),
  );
  return latest && { name: latest.deploymentName ?? "", deploymentId: latest.deploymentId ?? "" };
}

async function findByName(region: Region, targetArn: string, name: string): Promise<string | undefined> {
  const pages = paginateListDeployments(
    { client: region.greengrass, pageSize: 100 },
    { targetArn, historyFilter: "ALL" },
  );
  let seen = 0;
  for await (const { deployments = [] } of pages) {
    const found = deployments.find(({ deploymentName }) => deploymentName === name);
    if (found?.deploymentId !== undefined) return found.deploymentId;
    seen += deployments.length;
    if (seen >= LOOKED_THROUGH_MAX) break;
  }
  return undefined;
}
