import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ComponentName, componentNames, ComponentVersion, Sha256 } from "@coalmine/contract";
import { ModelChoice } from "@coalmine/contract/model-choice";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { zipEntries } from "../../core-device/store/zip.ts";

/** A folder that a build made cannot be used. */
export class ReleaseUnreadable extends CoalmineError {
  readonly code = "ERR_RELEASE_UNREADABLE";
}

/** What a build says of itself in `build.json`; only what is needed to publish and deploy it. */
const BuildManifest = z.object({
  components: z
    .array(
      z.object({
        component: ComponentName,
        version: ComponentVersion,
        recipeFile: z.string(),
        artifacts: z.record(z.string(), z.object({ file: z.string(), sha256: Sha256 })),
      }),
    )
    .min(1),
});

export interface ReleasedComponent {
  readonly component: string;
  readonly version: string;
  /** The recipe as the build wrote it, `BUCKET_NAME` still in it. */
  readonly recipe: string;
  readonly artifacts: readonly {
    /** In the artifacts' bucket. */
    readonly key: string;
    readonly sha256: string;
    readonly bytes: () => Uint8Array;
  }[];
}

/** Everything that one build made: versions that are released and deployed together. */
export interface Release {
  readonly folder: string;
  readonly components: readonly ReleasedComponent[];
}

/** Reads the folder of a build. @throws ReleaseUnreadable */
export function readRelease(folder: string): Release {
  const path = join(folder, "build.json");
  if (!existsSync(path))
    throw new ReleaseUnreadable(`${path} is not there: build first, or name the folder of a build`);
  const parsed = BuildManifest.safeParse(json(path));
  if (!parsed.success)
    throw new ReleaseUnreadable(
      `${path} is not what a build writes: ${z.prettifyError(parsed.error)}; build again`,
    );
  const components = parsed.data.components.map(({ component, version, recipeFile, artifacts }) => ({
    component,
    version,
    recipe: readFileSync(join(folder, recipeFile), "utf8"),
    artifacts: Object.entries(artifacts).map(([platform, { file, sha256 }]) => {
      let read: Uint8Array | undefined;
      return {
        key: `${component}/${version}/${platform}/${basename(file)}`,
        sha256,
        // Read once: each part of a fleet publishes it.
        bytes: () => (read ??= readFileSync(join(folder, file))),
      };
    }),
  }));
  return { folder, components };
}

/** What an artifact of a model may unpack to. */
const MODEL_BYTES_MAX = 2 ** 30;
const ModelManifest = z.object({ component: ComponentName, sha256: Sha256 });

/** What a deployment tells inference about the model of this release, if it has one. */
export function modelOf(release: Release): ModelChoice | undefined {
  const model = release.components.find(({ component }) => component === componentNames.bloodViscosityModel);
  const [artifact] = model?.artifacts ?? [];
  if (model === undefined || artifact === undefined) return undefined;
  const entry = zipEntries(artifact.bytes(), MODEL_BYTES_MAX).find(({ name }) => name === "manifest.json");
  if (entry === undefined)
    throw new ReleaseUnreadable(`the artifact of ${model.component} ${model.version} holds no manifest.json`);
  const { sha256 } = ModelManifest.parse(JSON.parse(new TextDecoder().decode(entry.bytes())));
  return ModelChoice.parse({ component: model.component, version: model.version, sha256 });
}

function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ReleaseUnreadable(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
