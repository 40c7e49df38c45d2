import { GetComponentCommand, ResourceNotFoundException } from "@aws-sdk/client-greengrassv2";
import { GetObjectCommand, NoSuchKey } from "@aws-sdk/client-s3";
import { parseRecipe, type Recipe } from "@coalmine/recipe";
import { sha256 } from "../build/digest.ts";
import type { ArtifactPlatform } from "../build/platform.ts";
import { recipeDigest } from "../build/recipe-template.ts";
import type { Region } from "../controller/region.ts";
import { componentArn } from "../publish/publish.ts";
import type { ComponentSet } from "../rollout/deployment.ts";
import { envelopeFile, sbomFile, subjects } from "./statement.ts";
import type { Signers } from "./signers.ts";
import { SupplyError } from "./supply-error.ts";
import { verifyComponent } from "./verify.ts";

type Where = Pick<Region, "target" | "accountId" | "greengrass" | "s3">;
/** A manifest's architecture, as recipes say it → whose artifact it has to have. */
const PLATFORMS: Readonly<Record<string, ArtifactPlatform>> = { amd64: "linux-x64", aarch64: "linux-arm64" };

/**
 * Refuses a release of which one component version, as this region has it, is not what a trusted key has signed: its
 * recipe, the digest that the cloud took of each artifact (by which a core device refuses other bytes), and its bills.
 * What is older than what runs is refused too, signed or not.
 */
export async function checkSigned(
  where: Where,
  components: Readonly<Record<string, string>>,
  running: ComponentSet,
  signers: Signers,
): Promise<void> {
  for (const [component, version] of Object.entries(components)) {
    const recipe = await recipeOf(where, component, version);
    const artifacts = artifactDigests(recipe);
    const digests = new Map<string, string | undefined>([[subjects.recipe, recipeDigest(recipe)]]);
    for (const [platform, digest] of artifacts) {
      digests.set(subjects.artifact(platform), digest);
      const bill = await textOf(where, sbomFile(component, version, platform));
      digests.set(subjects.sbom(platform), bill === undefined ? undefined : sha256(bill));
    }
    const envelope = await textOf(where, envelopeFile(component, version));
    verifyComponent({ component, version, digests, envelope, running: running[component]?.version }, signers);
  }
}

async function recipeOf(where: Where, component: string, version: string): Promise<Recipe> {
  const { region } = where.target;
  const arn = componentArn({ component, version }, region, where.accountId);
  try {
    const { recipe } = await where.greengrass.send(
      new GetComponentCommand({ arn, recipeOutputFormat: "JSON" }),
    );
    return parseRecipe(new TextDecoder().decode(recipe), arn);
  } catch (failure) {
    if (!(failure instanceof ResourceNotFoundException)) throw failure;
    throw new SupplyError(
      "ERR_SUPPLY_UNSIGNED",
      `the release names ${component} ${version}, which ${region} does not have; repeat its publish stage`,
      { cause: failure },
    );
  }
}

/** By the platform that a manifest is for: whose zip it names is the publisher's word, what it runs on is not. */
function artifactDigests(recipe: Recipe): [ArtifactPlatform, string | undefined][] {
  return recipe.manifests.flatMap(({ platform, artifacts }) =>
    artifacts.map(({ digest, algorithm }): [ArtifactPlatform, string | undefined] => [
      PLATFORMS[platform["architecture"] ?? ""] ?? "any",
      digest !== undefined && algorithm === "SHA-256"
        ? Buffer.from(digest, "base64").toString("hex")
        : undefined,
    ]),
  );
}

async function textOf({ s3, target }: Where, Key: string): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: target.artifactBucket, Key }));
    return await Body?.transformToString();
  } catch (failure) {
    if (failure instanceof NoSuchKey) return undefined;
    throw failure;
  }
}
