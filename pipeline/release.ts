import { componentNames, ComponentVersion, isProgram } from "@coalmine/contract";
import { ModelChoice, modelConfiguration, resetWithVersion } from "@coalmine/contract/model-choice";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import type { BuildManifest } from "./build/build-manifest.ts";
import type { ComponentSet, ComponentSpec } from "./rollout/deployment.ts";

/** What a push brings to the fleet: written by publish as `releases/<commit>.json`, read by the controller. */
export const ReleaseManifest = z.strictObject({
  version: z.literal(1),
  commit: z.string().regex(/^[0-9a-f]{7,64}$/),
  /** Component name → its pinned version. */
  components: z.record(z.string(), ComponentVersion),
  model: ModelChoice.optional(),
  /** Components of ours that run and are not in the release go away; without this they make it refused. */
  allowRemoval: z.boolean().default(false),
  /** The policy of the pushed commit, as text. */
  policy: z.string().max(100_000).optional(),
});
export type ReleaseManifest = z.infer<typeof ReleaseManifest>;

export class ReleaseError extends CoalmineError {
  readonly code = "ERR_RELEASE";
}

/** The folder of releases in the home target's artifact bucket. */
export const RELEASES = "releases";

/** Where that bucket has a commit's release. */
export function releaseKey(commit: string): string {
  return `${RELEASES}/${commit}.json`;
}

/** The release that a build makes. `modelManifests` are the manifests of `models/*`; more than their identity may be there. */
export function releaseOf(
  build: BuildManifest,
  modelManifests: readonly unknown[],
  commit: string,
  more: { readonly policy?: string; readonly allowRemoval?: boolean } = {},
): ReleaseManifest {
  const models = modelManifests.map((manifest) => ModelChoice.parse(manifest));
  const [model] = models;
  if (models.length > 1)
    throw new ReleaseError(
      `inference runs one model, but ${models.map(({ component }) => component).join(" and ")} are there; keep one of them in models/`,
    );
  const built = build.components.find(({ component }) => component === model?.component);
  if (model !== undefined && built?.version !== model.version)
    throw new ReleaseError(
      `the model manifest says ${model.component} ${model.version}, but the build made ${built?.version ?? "none"}; build again`,
    );
  return ReleaseManifest.parse({
    version: 1,
    commit,
    components: Object.fromEntries(build.components.map(({ component, version }) => [component, version])),
    ...(model === undefined ? {} : { model }),
    ...more,
  });
}

/**
 * What a release changes of a running set; `null` removes. What others configured stays, so that a device that joins
 * later is configured like those that were there.
 */
export function changesOf(
  release: ReleaseManifest,
  running: ComponentSet,
): Readonly<Record<string, ComponentSpec | null>> {
  const changes: Record<string, ComponentSpec | null> = {};
  for (const [name, version] of Object.entries(release.components)) {
    const model =
      name === componentNames.inference && release.model !== undefined
        ? { model: modelConfiguration(release.model, version) }
        : {};
    const before = running[name];
    const merge = { ...before?.merge, ...model };
    const anew = before !== undefined && isProgram(name) ? [...resetWithVersion(name)] : undefined;
    const reset = before?.version === version ? before.reset : anew;
    changes[name] = {
      version,
      ...(Object.keys(merge).length === 0 ? {} : { merge }),
      ...(reset === undefined ? {} : { reset }),
    };
  }
  for (const name of Object.keys(running))
    if (name.startsWith("coalmine.") && release.components[name] === undefined) changes[name] = null;
  return changes;
}
