import type { Clock, Random } from "@coalmine/ports";
import { compareVersions, maxSatisfying, parseRecipe, satisfies, type Recipe } from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import { DataPlaneError, type DataPlane, type Platform } from "../ports.ts";
import { isPassing } from "../store/artifact-downloads.ts";
import type { ComponentStore } from "../store/component-store.ts";
import { DeploymentError } from "./deployment-error.ts";
import type { Candidates, Constraints } from "./dependency-resolution.ts";
import { waitToRetry } from "./wait-to-retry.ts";

interface CandidateOptions {
  readonly store: ComponentStore;
  readonly dataPlane: DataPlane;
  readonly platform: Platform;
  readonly clock: Clock;
  readonly random: Random;
  /** The version that runs now. */
  readonly activeVersion: (name: string) => string | undefined;
  readonly signal: AbortSignal;
}

/** The best version of a component: what is here, unless the cloud says better; what is here, when it cannot be asked. */
export function candidatesFrom(options: CandidateOptions): Candidates {
  return {
    async choose(name, constraints) {
      const local = await localBest(name, constraints, options);
      const localOnly = "LOCAL_DEPLOYMENT" in constraints && local !== undefined;
      const found = localOnly ? undefined : await askCloud(name, constraints, local, options);
      const version = found?.version ?? local;
      const recipe =
        found?.recipe ?? (version === undefined ? undefined : await options.store.recipe(name, version));
      if (version === undefined || recipe === undefined) throw noVersion(name, constraints);
      return { version, recipe };
    },
  };
}

async function localBest(
  name: string,
  constraints: Constraints,
  { store, activeVersion }: CandidateOptions,
): Promise<string | undefined> {
  const ranges = Object.values(constraints);
  const versions = await store.versions(name);
  const active = activeVersion(name);
  if (active !== undefined && versions.includes(active) && ranges.every((range) => satisfies(active, range)))
    return active;
  return maxSatisfying(versions.toSorted(compareVersions), ranges);
}

async function askCloud(
  name: string,
  constraints: Constraints,
  local: string | undefined,
  { dataPlane, platform, store, clock, random, signal }: CandidateOptions,
): Promise<{ version: string; recipe: Recipe } | undefined> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const { resolvedComponentVersions } = await dataPlane.resolveComponentCandidates({
        platform: { attributes: platform },
        componentCandidates: [
          {
            componentName: name,
            ...(local === undefined ? {} : { componentVersion: local }),
            versionRequirements: constraints,
          },
        ],
      });
      const [resolved] = resolvedComponentVersions;
      if (resolved === undefined || resolvedComponentVersions.length !== 1)
        throw new DeploymentError(
          ["RESOLVE_COMPONENT_CANDIDATES_BAD_RESPONSE"],
          `the cloud gave ${resolvedComponentVersions.length} versions of ${name} where one was asked for`,
        );
      const text = Buffer.from(resolved.recipe, "base64").toString("utf8");
      const recipe = parseRecipe(text, `${name} ${resolved.componentVersion}`);
      await store.save(name, resolved.componentVersion, text, resolved.arn);
      return { version: resolved.componentVersion, recipe };
    } catch (failure) {
      if (local !== undefined && failure instanceof DataPlaneError) return undefined;
      if (!(failure instanceof DataPlaneError)) throw recipeFault(failure);
      if (failure.statusCode === 403)
        throw new DeploymentError(
          ["CLOUD_API_ERROR", "ACCESS_DENIED", "RESOLVE_COMPONENT_CANDIDATES_ACCESS_DENIED"],
          `Access denied when asking for versions of ${name}: ${messageOf(failure)}`,
        );
      if (!isPassing(failure)) throw noVersion(name, constraints, failure.message);
    }
    await waitToRetry({ clock, random }, signal);
  }
}

function recipeFault(failure: unknown): unknown {
  if (failure instanceof DeploymentError || !(failure instanceof Error) || failure.name !== "RecipeError")
    return failure;
  return new DeploymentError(["COMPONENT_PACKAGE_LOADING_ERROR", "RECIPE_PARSE_ERROR"], failure.message);
}

function noVersion(name: string, constraints: Constraints, why = ""): DeploymentError {
  const asked = Object.entries(constraints).map(([source, range]) => `${source} requires ${range}`);
  return new DeploymentError(
    ["NO_AVAILABLE_COMPONENT_VERSION", "COMPONENT_VERSION_REQUIREMENTS_NOT_MET"],
    `No local or cloud component version satisfies the requirements. Component ${name}: ${asked.join(", ")}${why === "" ? "" : `. ${why}`}`,
  );
}
