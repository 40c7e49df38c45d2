import { satisfies, selectManifest, type DeploymentDocument } from "@coalmine/recipe";
import type { TransactionLog } from "../configuration/transaction-log.ts";
import type { Platform } from "../ports.ts";
import type { Resolved } from "./dependency-resolution.ts";
import { DeploymentError } from "./deployment-error.ts";
import { NUCLEUS, TOKEN_EXCHANGE } from "./plan.ts";

interface DeviceOfPrerequisites {
  readonly nucleusVersion: string;
  readonly platform: Platform;
  readonly configuration: TransactionLog;
}

/** Throws where the device, or the deployment beside it, lacks what a resolved component needs. */
export function checkPrerequisites(
  { name, version, recipe }: Resolved,
  resolved: ReadonlyMap<string, Resolved>,
  document: Pick<DeploymentDocument, "components">,
  { nucleusVersion, platform, configuration }: DeviceOfPrerequisites,
): void {
  if (
    recipe.componentType === "aws.greengrass.nucleus" &&
    !Object.hasOwn(document.components, name) &&
    !satisfies(version, `~${nucleusVersion.split(".", 2).join(".")}`)
  )
    throw new DeploymentError(
      ["UNAUTHORIZED_NUCLEUS_MINOR_VERSION_UPDATE"],
      `a component's dependency asks for nucleus ${version} in place of ${nucleusVersion}; name ${name} in the deployment if that is meant`,
    );
  if (recipe.componentType === "aws.greengrass.nucleus" && version !== nucleusVersion)
    throw new DeploymentError(
      ["NUCLEUS_VERSION_NOT_FOUND"],
      `this core device is nucleus ${nucleusVersion} and cannot become ${version}; deploy that version`,
    );
  if (recipe.componentType === "aws.greengrass.plugin" && !name.startsWith("aws."))
    throw new DeploymentError(["CUSTOM_PLUGIN_NOT_SUPPORTED"], `Custom plugins is not supported: ${name}`);
  const uris = selectManifest(recipe, platform)?.artifacts.map((artifact) => artifact.uri) ?? [];
  if (
    uris.some((uri) => uri.startsWith("docker:")) &&
    !resolved.has("aws.greengrass.DockerApplicationManager")
  )
    throw new DeploymentError(
      ["MISSING_DOCKER_APPLICATION_MANAGER"],
      `${name} has a docker artifact and needs aws.greengrass.DockerApplicationManager`,
    );
  const alias = configuration.tree.getText(["services", NUCLEUS, "configuration", "iotRoleAlias"]);
  const hasCredentials = alias !== undefined || resolved.has(TOKEN_EXCHANGE);
  if (uris.some((uri) => uri.startsWith("s3:")) && !hasCredentials)
    throw new DeploymentError(
      ["MISSING_TOKEN_EXCHANGE_SERVICE"],
      `${name} has an artifact in S3 and the device has no iotRoleAlias to fetch it with`,
    );
}
