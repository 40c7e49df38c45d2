import { createHash } from "node:crypto";
import type { Clock, JsonValue, Log, Random } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { parseJson } from "../json.ts";
import { DataPlaneError, type DataPlane } from "../ports.ts";
import { isPassing } from "../store/artifact-downloads.ts";
import { DeploymentError } from "./deployment-error.ts";
import type { Deployment } from "./deployment.ts";
import type { GroupRecords } from "./group-records.ts";
import { waitToRetry } from "./wait-to-retry.ts";

/** The document of a large deployment is asked for so often. */
const DOCUMENT_TRIES = 10;

interface Asking {
  readonly thingName: string;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The groups that the device is in, as `thinggroup/<name>`; asked until answered, except for local deployments. */
export async function thingGroups(
  source: Deployment["source"],
  records: GroupRecords,
  { thingName, dataPlane, clock, random, log }: Asking,
  signal: AbortSignal,
): Promise<readonly string[]> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const groups = await dataPlane.listThingGroupsForCoreDevice(thingName);
      return [...groups.map(({ thingGroupName }) => `thinggroup/${thingGroupName}`), `thing/${thingName}`];
    } catch (failure) {
      const forbidden = failure instanceof DataPlaneError && failure.statusCode === 403;
      if (source === "LOCAL" || forbidden) return records.membership();
      log.warn("the device's groups are not known yet", { why: messageOf(failure) });
    }
    await waitToRetry({ clock, random }, signal);
  }
}

/** The whole document of a deployment that was too large for a job. */
export async function largeDocument(
  deploymentId: string,
  { dataPlane, clock, random }: Asking,
  signal: AbortSignal,
): Promise<JsonValue> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    try {
      const { preSignedUrl, integrityCheck } = await dataPlane.getDeploymentConfiguration(deploymentId);
      const bytes = await dataPlane.download(preSignedUrl);
      const json = parseJson(new TextDecoder().decode(bytes));
      if (createHash("sha256").update(bytes).digest("base64") === integrityCheck.digest && json !== undefined)
        return json;
      throw new Error("the document does not fit its digest");
    } catch (failure) {
      const denied = failure instanceof DataPlaneError && failure.statusCode === 403;
      if (denied || (tries >= DOCUMENT_TRIES && !isOffline(failure)))
        throw new DeploymentError(
          denied
            ? [
                "DOWNLOAD_DEPLOYMENT_DOCUMENT_ERROR",
                "CLOUD_API_ERROR",
                "ACCESS_DENIED",
                "GET_DEPLOYMENT_CONFIGURATION_ACCESS_DENIED",
              ]
            : ["DOWNLOAD_DEPLOYMENT_DOCUMENT_ERROR"],
          `the document of deployment ${deploymentId} cannot be downloaded: ${messageOf(failure)}`,
        );
    }
    await waitToRetry({ clock, random }, signal);
  }
}

function isOffline(failure: unknown): boolean {
  return failure instanceof DataPlaneError && isPassing(failure);
}
