import { isJsonObject, type JsonObject } from "@coalmine/recipe";
import { CoalmineError } from "@coalmine/runtime";
import { parse } from "yaml";
import { artifactsOf, uriOf } from "../../cloud/greengrass/component-registry.ts";
import type { Release, ReleasedComponent } from "./release-folder.ts";
import type { ReleaseRegion } from "./release-region.ts";

/** A version would have to become something else than it is. */
export class VersionTaken extends CoalmineError {
  readonly code = "ERR_VERSION_TAKEN";
}
/** The cloud made nothing deployable of a version. */
export class NotDeployable extends CoalmineError {
  readonly code = "ERR_NOT_DEPLOYABLE";
}

/** A version is hashed and checked within seconds. */
const DEPLOYABLE_MS_MAX = 60_000;
const STEP_MS = 500;
const DIGESTS_TAG = "artifact-digests";

/**
 * Puts a release's artifacts and component versions into a region's own cloud, in process: creates what it lacks,
 * passes over what it has with the same bytes, refuses the same version with other ones. Drives the clock until every
 * version is deployable.
 */
export async function publishRelease(region: ReleaseRegion, release: Release, bucket: string): Promise<void> {
  const { cloud } = region;
  const fresh: string[] = [];
  for (const one of release.components) {
    const digests = one.artifacts
      .map(({ sha256 }) => sha256.slice(0, 40))
      .toSorted()
      .join("+");
    const known = cloud.greengrass.components.get(one.component, one.version);
    if (known !== undefined) {
      if (known.tags[DIGESTS_TAG] === digests) continue;
      throw new VersionTaken(
        `${one.component} ${one.version} is published already with other bytes than ${release.folder} has: give the candidate a version of its own`,
      );
    }
    await region.turn.change(async () => {
      for (const { key, bytes } of one.artifacts)
        await cloud.invoke("s3", "PutObject", { Bucket: bucket, Key: key, Body: bytes() });
      const answer: { arn?: string } = await cloud.invoke("greengrass", "CreateComponentVersion", {
        inlineRecipe: Buffer.from(JSON.stringify(recipeOf(one, bucket))),
        tags: { [DIGESTS_TAG]: digests },
      });
      fresh.push(answer.arn ?? "");
    });
  }
  for (const arn of fresh) await untilDeployable(region, arn);
}

/** The recipe without the manifests of platforms that were not built: a region takes no version whose bytes are missing. */
function recipeOf({ component, version, recipe, artifacts }: ReleasedComponent, bucket: string): JsonObject {
  const document: unknown = parse(recipe.replaceAll("BUCKET_NAME", bucket));
  if (!isJsonObject(document)) throw new NotDeployable(`the recipe of ${component} ${version} is no object`);
  const there = new Set(artifacts.map(({ key }) => `s3://${bucket}/${key}`));
  const manifests = document["Manifests"];
  if (!Array.isArray(manifests)) return document;
  const isBuilt = (manifest: unknown): boolean =>
    isJsonObject(manifest) &&
    artifactsOf({ Manifests: [manifest] }).every((artifact) => there.has(uriOf(artifact)));
  return { ...document, Manifests: manifests.filter(isBuilt) };
}

async function untilDeployable(region: ReleaseRegion, arn: string): Promise<void> {
  const deadline = region.clock.now() + DEPLOYABLE_MS_MAX;
  for (;;) {
    const { stored } = region.cloud.greengrass.components.find(arn);
    if (stored?.state === "DEPLOYABLE") return;
    if (stored?.state === "FAILED" || region.clock.now() >= deadline)
      throw new NotDeployable(
        `${arn} is ${stored?.state ?? "gone"}: ${stored?.message ?? ""} ${Object.values(stored?.errors ?? {}).join("; ")}`,
      );
    await region.turn.run(region.clock.now() + STEP_MS);
  }
}
