import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { BuildManifest } from "../build/build-manifest.ts";
import { eachOf, type Region } from "../controller/region.ts";
import type { TargetTime } from "../controller/target-time.ts";
import { releaseKey, releaseOf, type ReleaseManifest } from "../release.ts";
import { pauseIn, publish, type Published } from "./publish.ts";

type PublishRegion = Pick<Region, "target" | "accountId" | "greengrass" | "s3">;

export interface PublishedRelease {
  readonly release: ReleaseManifest;
  /** By region, what was created there and what was there. */
  readonly published: ReadonlyMap<string, readonly Published[]>;
}

/**
 * Brings the build of a checkout (its `dist`) into every region, and then writes its release into the home region, the
 * first one: whoever finds a release finds everything that it names. May be repeated after any failure.
 */
export async function publishRelease(
  checkout: string,
  manifest: BuildManifest,
  commit: string,
  regions: readonly [PublishRegion, ...PublishRegion[]],
  time: TargetTime,
): Promise<PublishedRelease> {
  const published = await eachOf(regions, async (region) => {
    const { target } = region;
    const ports = { ...region, clock: systemClock, pause: pauseIn(target, time) };
    return [target.region, await publish(join(checkout, "dist"), manifest, target, ports)] as const;
  });
  const models = globSync("models/*/manifest.json", { cwd: checkout }).map((file): unknown =>
    JSON.parse(readFileSync(join(checkout, file), "utf8")),
  );
  const policy = readFileSync(join(checkout, "pipeline/policy.yaml"), "utf8");
  const release = releaseOf(manifest, models, commit, { policy });
  const [{ s3, target }] = regions;
  await s3.send(
    new PutObjectCommand({
      Bucket: target.artifactBucket,
      Key: releaseKey(commit),
      Body: JSON.stringify(release),
      ContentType: "application/json",
    }),
  );
  return { release, published: new Map(published) };
}
