import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ConflictException,
  CreateComponentVersionCommand,
  DescribeComponentCommand,
  GetComponentCommand,
  type GreengrassV2Client,
} from "@aws-sdk/client-greengrassv2";
import { HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "@coalmine/ports";
import { parseRecipe } from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import type { BuildManifest, BuiltComponent } from "../build/build-manifest.ts";
import { eachOf } from "../controller/region.ts";
import { objectKey, recipeDigest, withBucket } from "../build/recipe-template.ts";
import type { TargetTime } from "../controller/target-time.ts";
import type { Target } from "../target.ts";
import { envelopeFile, sbomFile, statementFile } from "../supply/statement.ts";
import { PublishError } from "./publish-error.ts";

const DEPLOYABLE_WAIT_MS_MAX = 180_000;
const DEPLOYABLE_POLL_MS = 500;

/** How publishing pauses in a target: that much of the target's own time passes. */
export function pauseIn(target: Target, time: TargetTime): () => Promise<void> {
  const never = new AbortController().signal;
  return async () => {
    await time.waitUntil(target, (await time.now(target)) + DEPLOYABLE_POLL_MS, never);
  };
}

export interface PublishPorts {
  readonly greengrass: GreengrassV2Client;
  readonly s3: S3Client;
  readonly clock: Clock;
  /** A pause between two questions; in a driven region it lets the region's own work go on. */
  readonly pause: () => Promise<void>;
  /** The region's account, for the names of component versions. */
  readonly accountId: string;
}

export interface Published {
  readonly component: string;
  readonly version: string;
  readonly how: "created" | "was there";
}

/**
 * Brings what was built into one region: creates what it lacks, passes over what it has with the same digest, refuses
 * another. May be repeated after any failure.
 */
export async function publish(
  dist: string,
  manifest: BuildManifest,
  target: Target,
  ports: PublishPorts,
): Promise<Published[]> {
  const unreleased = manifest.components.filter(({ released }) => !released);
  if (unreleased.length > 0) {
    const names = unreleased.map(({ component, version }) => `${component} ${version}`).join(", ");
    throw new PublishError(
      "ERR_PUBLISH_UNRELEASED",
      `recipes/released.json does not have these bytes of ${names}; run \`npm run bump\` and commit what it writes`,
    );
  }
  // Each waits until the region has looked at it: all of them wait together.
  return eachOf(manifest.components, (built) => publishOne(dist, built, target, ports));
}

async function publishOne(
  dist: string,
  built: BuiltComponent,
  target: Target,
  ports: PublishPorts,
): Promise<Published> {
  for (const [platform, artifact] of Object.entries(built.artifacts)) {
    const key = objectKey(
      built.component,
      built.version,
      platform,
      artifact.file.slice(artifact.file.lastIndexOf("/") + 1),
    );
    await putArtifact(
      target.artifactBucket,
      key,
      await readFile(join(dist, artifact.file)),
      artifact.sha256,
      ports,
    );
  }
  await putStatements(dist, built, target.artifactBucket, ports);
  const recipe = withBucket(await readFile(join(dist, built.recipeFile), "utf8"), target.artifactBucket);
  const how = await createVersion(built, recipe, target, ports);
  await untilDeployable(built, target, ports);
  return { component: built.component, version: built.version, how };
}

async function putArtifact(
  bucket: string,
  key: string,
  body: Uint8Array,
  sha256: string,
  { s3 }: PublishPorts,
): Promise<void> {
  try {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        IfNoneMatch: "*",
        Metadata: { sha256 },
        ContentType: "application/zip",
      }),
    );
  } catch (failure) {
    if (statusOf(failure) !== 412) throw refused(`s3://${bucket}/${key} could not be written`, failure);
    const there = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    if (there.Metadata?.["sha256"] === sha256) return;
    throw new PublishError(
      "ERR_PUBLISH_CHANGED",
      `s3://${bucket}/${key} holds other bytes (SHA-256 ${there.Metadata?.["sha256"] ?? "unknown"}, this build ${sha256}); a released version never changes: run \`npm run bump\``,
    );
  }
}

/**
 * What is said of the version: its statement, the bills of its artifacts, and the signature where there is one. Written
 * anew each time, since a version may be signed again; whoever reads them checks them against a signature.
 */
async function putStatements(
  dist: string,
  { component, version, artifacts }: BuiltComponent,
  bucket: string,
  { s3 }: PublishPorts,
): Promise<void> {
  const files = [
    statementFile(component, version),
    envelopeFile(component, version),
    ...Object.keys(artifacts).map((platform) => sbomFile(component, version, platform)),
  ];
  for (const file of files.filter((each) => existsSync(join(dist, each))))
    try {
      const Body = await readFile(join(dist, file));
      await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: file, Body, ContentType: "application/json" }),
      );
    } catch (failure) {
      throw refused(`s3://${bucket}/${file} could not be written`, failure);
    }
}

async function createVersion(
  built: BuiltComponent,
  recipe: string,
  target: Target,
  { greengrass, accountId }: PublishPorts,
): Promise<Published["how"]> {
  try {
    await greengrass.send(
      new CreateComponentVersionCommand({
        inlineRecipe: new TextEncoder().encode(recipe),
        tags: { "coalmine:recipe-sha256": built.recipe },
      }),
    );
    return "created";
  } catch (failure) {
    if (!(failure instanceof ConflictException))
      throw refused(`${built.component} ${built.version} could not be created in ${target.region}`, failure);
    const arn = componentArn(built, target.region, accountId);
    const there = await greengrass.send(new GetComponentCommand({ arn, recipeOutputFormat: "YAML" }));
    const theirs = recipeDigest(parseRecipe(new TextDecoder().decode(there.recipe), arn));
    if (theirs === built.recipe) return "was there";
    throw new PublishError(
      "ERR_PUBLISH_CHANGED",
      `${target.region} has ${built.component} ${built.version} with another recipe (digest ${theirs}, this build ${built.recipe}); a released version never changes: run \`npm run bump\``,
    );
  }
}

async function untilDeployable(
  built: BuiltComponent,
  target: Target,
  { greengrass, clock, pause, accountId }: PublishPorts,
): Promise<void> {
  const deadline = clock.monotonicMs() + DEPLOYABLE_WAIT_MS_MAX;
  for (;;) {
    const { status } = await greengrass.send(
      new DescribeComponentCommand({ arn: componentArn(built, target.region, accountId) }),
    );
    if (status?.componentState === "DEPLOYABLE") return;
    if (status?.componentState === "FAILED") {
      throw new PublishError(
        "ERR_PUBLISH_REFUSED",
        `${target.region} refuses ${built.component} ${built.version}: ${status.message ?? ""} ${JSON.stringify(status.errors ?? {})}`,
      );
    }
    if (clock.monotonicMs() > deadline) {
      throw new PublishError(
        "ERR_PUBLISH_TIMEOUT",
        `${built.component} ${built.version} is still ${status?.componentState} in ${target.region} after ${DEPLOYABLE_WAIT_MS_MAX / 1000} s; repeat the stage, and look at the component in the console if it stays so`,
      );
    }
    await pause();
  }
}

export function componentArn(
  built: { readonly component: string; readonly version: string },
  region: string,
  accountId: string,
): string {
  return `arn:aws:greengrass:${region}:${accountId}:components:${built.component}:versions:${built.version}`;
}

function refused(what: string, failure: unknown): PublishError {
  return new PublishError(
    "ERR_PUBLISH_REFUSED",
    `${what}: ${messageOf(failure)}; check the pipeline role's rights and the bucket's name`,
    { cause: failure },
  );
}

function statusOf(failure: unknown): number | undefined {
  const metadata =
    typeof failure === "object" && failure !== null && "$metadata" in failure ? failure.$metadata : undefined;
  return typeof metadata === "object" &&
    metadata !== null &&
    "httpStatusCode" in metadata &&
    typeof metadata.httpStatusCode === "number"
    ? metadata.httpStatusCode
    : undefined;
}
