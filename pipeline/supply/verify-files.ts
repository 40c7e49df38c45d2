import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { messageOf } from "@coalmine/runtime";
import { parseSubmittedRecipe } from "@coalmine/recipe";
import { readBuild } from "../build/build-manifest.ts";
import { sha256 } from "../build/digest.ts";
import { recipeDigest } from "../build/recipe-template.ts";
import type { Signers } from "./signers.ts";
import { digestsOf, envelopeFile, sbomFile, subjects } from "./statement.ts";
import { SupplyError } from "./supply-error.ts";
import { type Found, verifyComponent } from "./verify.ts";

export interface Verified {
  readonly component: string;
  readonly version: string;
  readonly fault?: { readonly code: string; readonly message: string };
}

/** Every version of a build: its recipe, artifacts and bills as they lie there. */
export function verifyBuild(dist: string, signers: Signers): Verified[] {
  return readBuild(dist).components.map(({ component, version, recipeFile, artifacts }) => {
    const recipe = parseSubmittedRecipe(readFileSync(join(dist, recipeFile), "utf8"), recipeFile);
    const digests = new Map<string, string | undefined>([[subjects.recipe, recipeDigest(recipe)]]);
    for (const [platform, { file }] of Object.entries(artifacts)) {
      digests.set(subjects.artifact(platform), digestOf(join(dist, file)));
      digests.set(subjects.sbom(platform), digestOf(join(dist, sbomFile(component, version, platform))));
    }
    const envelope = textOf(join(dist, envelopeFile(component, version)));
    return verified({ component, version, digests, envelope }, signers);
  });
}

/** Every artifact of ours that lies on a core device, before it is installed or long after. */
export function verifyDevice(root: string, signedFolder: string, signers: Signers): Verified[] {
  const store = join(root, "packages/artifacts");
  const components = foldersIn(store).filter((name) => name.startsWith("coalmine."));
  if (components.length === 0)
    throw new SupplyError(
      "ERR_SUPPLY_UNSIGNED",
      `${store} holds no component of ours that could be verified; name the core device's folder, and run this as a user who may read it`,
    );
  return components.flatMap((component) =>
    foldersIn(join(store, component)).map((version) => {
      const envelope = textOf(join(signedFolder, basename(envelopeFile(component, version))));
      const files = readdirSync(join(store, component, version));
      const found: Found = { component, version, envelope, digests: new Map() };
      const first = verified(found, signers);
      if (first.fault !== undefined) return first;
      // Which platform's it is does not stand in the file's name: it has to be one that was signed.
      const known = new Map(
        [...digestsOf(verifyComponent(found, signers))].map(([name, digest]) => [digest, name]),
      );
      const digests = new Map(
        files.map((file): [string, string | undefined] => {
          const digest = digestOf(join(store, component, version, file));
          return [known.get(digest ?? "") ?? file, digest];
        }),
      );
      return verified({ ...found, digests }, signers);
    }),
  );
}

function verified(found: Found, signers: Signers): Verified {
  const { component, version } = found;
  try {
    verifyComponent(found, signers);
    return { component, version };
  } catch (failure) {
    if (!(failure instanceof SupplyError)) throw failure;
    return { component, version, fault: { code: failure.code, message: messageOf(failure) } };
  }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function digestOf(file: string): string | undefined {
  return existsSync(file) ? sha256(readFileSync(file)) : undefined;
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
