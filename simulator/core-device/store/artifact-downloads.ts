import { createHash } from "node:crypto";
import type { DeploymentErrorCode } from "@coalmine/contract/device-status";
import type { Clock, Log, Random } from "@coalmine/ports";
import type { Artifact } from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import { DeploymentError } from "../deployment/deployment-error.ts";
import { waitToRetry } from "../deployment/wait-to-retry.ts";
import { DataPlaneError, type DataPlane, type DeviceRoot } from "../ports.ts";
import { artifactFolder, unarchivedFolder } from "./component-store.ts";

/** Bytes that do not fit their digest are fetched so often in all. */
const CHECKSUM_TRIES = 10;
/** With less room than this the device takes no artifact. */
const FREE_BYTES_MIN = 20 * 1024 * 1024;
/** All artifacts of the device together, where its nucleus says nothing else by `componentStoreMaxSizeBytes`. */
const STORE_BYTES_MAX = 10_000_000_000;

interface DownloadOptions {
  readonly root: DeviceRoot;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The nucleus's `componentStoreMaxSizeBytes`. */
  readonly storeBytesMax: number | undefined;
}

interface ComponentArtifacts {
  readonly name: string;
  readonly version: string;
  readonly arn: string | undefined;
  readonly artifacts: readonly Artifact[];
}

/** Brings a component's artifacts onto the device, checked and extracted. What is there already stays. */
export async function downloadArtifacts(
  component: ComponentArtifacts,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<void> {
  const { root, storeBytesMax = STORE_BYTES_MAX } = options;
  for (const artifact of component.artifacts) {
    signal.throwIfAborted();
    const file = nameIn(artifact.uri.split("/").at(-1)?.split(":").at(-1) ?? "", artifact, component);
    const path = `${artifactFolder(component.name, component.version)}/${file}`;
    const fetched = await fetchArtifact(path, artifact, component, options, signal);
    if (artifact.unarchive !== "ZIP") continue;
    const name = nameIn(file.replace(/\.[^.]*$/, ""), artifact, component);
    const folder = `${unarchivedFolder(component.name, component.version)}/${name}`;
    if (!fetched && (await root.list(folder)).length > 0) continue;
    const room = Math.min(
      (await root.freeBytes()) - FREE_BYTES_MIN,
      storeBytesMax - (await root.bytesBelow("packages")),
    );
    try {
      await root.unarchive(path, folder, artifact.permission, room);
    } catch (failure) {
      throw new DeploymentError(
        ["ARTIFACT_DOWNLOAD_ERROR", "IO_ERROR", "IO_UNZIP_ERROR"],
        `cannot extract ${file} of ${component.name} ${component.version}: ${messageOf(failure)}`,
      );
    }
  }
}

/** What an artifact's file or folder is called; what would be another folder is no name. */
function nameIn(name: string, { uri }: Artifact, component: ComponentArtifacts): string {
  if (!["", ".", ".."].includes(name)) return name;
  throw new DeploymentError(
    ["ARTIFACT_DOWNLOAD_ERROR", "ARTIFACT_URI_NOT_VALID"],
    `${uri} of ${component.name} ${component.version} gives its file no name; publish it with another`,
  );
}

/** True when the file was written now. */
async function fetchArtifact(
  path: string,
  artifact: Artifact,
  component: ComponentArtifacts,
  { root, dataPlane, clock, random, log, storeBytesMax = STORE_BYTES_MAX }: DownloadOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const present = await root.artifactDigest(path);
  if (artifact.digest === undefined) {
    // A recipe of this device's own: whoever put it here put the file here too.
    if (present !== undefined) return false;
  } else {
    if (artifact.algorithm === undefined)
      throw new DeploymentError(
        ["ARTIFACT_DOWNLOAD_ERROR", "RECIPE_MISSING_ARTIFACT_HASH_ALGORITHM"],
        `the recipe of ${component.name} ${component.version} has a digest for ${artifact.uri} but no algorithm`,
      );
    if (present === artifact.digest) return false;
    if (await root.adoptArtifact(path, artifact.digest)) return true;
  }
  if ((await root.freeBytes()) < FREE_BYTES_MIN)
    throw new DeploymentError(
      ["ARTIFACT_DOWNLOAD_ERROR", "DISK_SPACE_CRITICAL"],
      `the device has less than ${FREE_BYTES_MIN} bytes free; remove what is not needed`,
    );
  for (let mismatches = 0; ;) {
    signal.throwIfAborted();
    try {
      const bytes = await dataPlane.download(await urlOf(artifact, component, dataPlane));
      if (
        artifact.digest === undefined ||
        createHash("sha256").update(bytes).digest("base64") === artifact.digest
      ) {
        const storedBytes = await root.bytesBelow("packages");
        if (storedBytes + bytes.byteLength > storeBytesMax)
          throw new DeploymentError(
            ["ARTIFACT_DOWNLOAD_ERROR", "DISK_SPACE_CRITICAL"],
            `${artifact.uri} has ${bytes.byteLength} bytes, and the component store has ${storedBytes} of the ${storeBytesMax} that it may; raise the nucleus's componentStoreMaxSizeBytes or remove components`,
          );
        await root.writeArtifact(path, bytes, artifact.permission);
        return true;
      }
      mismatches++;
      if (mismatches >= CHECKSUM_TRIES)
        throw new DeploymentError(
          ["ARTIFACT_DOWNLOAD_ERROR", "ARTIFACT_CHECKSUM_MISMATCH"],
          `${artifact.uri} does not fit the digest in the recipe of ${component.name} ${component.version}; publish it again`,
        );
    } catch (failure) {
      if (failure instanceof DeploymentError || signal.aborted) throw failure;
      if (!isPassing(failure)) throw refusal(failure, artifact, component);
      log.warn("an artifact could not be downloaded yet", { uri: artifact.uri, why: messageOf(failure) });
    }
    await waitToRetry({ clock, random }, signal);
  }
}

async function urlOf(
  artifact: Artifact,
  component: ComponentArtifacts,
  dataPlane: DataPlane,
): Promise<string> {
  if (artifact.uri.startsWith("s3://")) return artifact.uri;
  const [scheme, name] = [artifact.uri.split(":")[0], artifact.uri.slice(artifact.uri.indexOf(":") + 1)];
  if (scheme !== "greengrass" || component.arn === undefined)
    throw new DeploymentError(
      ["ARTIFACT_DOWNLOAD_ERROR", "ARTIFACT_URI_NOT_VALID"],
      `${artifact.uri} of ${component.name} ${component.version} cannot be fetched by this device; use s3:// or greengrass:`,
    );
  return (await dataPlane.getComponentVersionArtifact(component.arn, name.replace(/^\/+/, ""))).preSignedUrl;
}

/** Worth trying again: no answer, throttled, or the server's own fault. */
export function isPassing(failure: unknown): boolean {
  if (!(failure instanceof DataPlaneError)) return true;
  return failure.statusCode === 0 || failure.statusCode === 429 || failure.statusCode >= 500;
}

function refusal(failure: unknown, artifact: Artifact, component: ComponentArtifacts): DeploymentError {
  const status = failure instanceof DataPlaneError ? failure.statusCode : 0;
  // The nucleus asks S3 for the object's size first, and is refused there.
  const codes: DeploymentErrorCode[] = artifact.uri.startsWith("s3:")
    ? status === 403
      ? ["S3_HEAD_OBJECT_ACCESS_DENIED", "S3_ERROR", "S3_ACCESS_DENIED"]
      : status === 404
        ? ["S3_HEAD_OBJECT_RESOURCE_NOT_FOUND", "S3_ERROR", "S3_RESOURCE_NOT_FOUND"]
        : ["S3_ERROR", "S3_BAD_REQUEST"]
    : status === 403
      ? ["CLOUD_API_ERROR", "ACCESS_DENIED", "GET_COMPONENT_VERSION_ARTIFACT_ACCESS_DENIED"]
      : status === 404
        ? ["CLOUD_API_ERROR", "RESOURCE_NOT_FOUND"]
        : ["CLOUD_API_ERROR", "BAD_REQUEST"];
  return new DeploymentError(
    ["ARTIFACT_DOWNLOAD_ERROR", ...codes],
    `Failed to download artifact ${artifact.uri} of ${component.name} ${component.version}: ${messageOf(failure)}`,
  );
}
