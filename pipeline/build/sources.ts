import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";
import { nodeRuntimeVersion, pinnedNode } from "./node-version.ts";
import { readJson } from "./read-json.ts";

/** Something that is released under a version of its own, and where its version and its bytes come from. */
export interface Source {
  readonly component: string;
  readonly version: string;
  readonly kind: "component" | "model" | "node";
  /** From the root: `components/sensor-reader`, `models/blood-viscosity`, `recipes`. */
  readonly folder: string;
  /** The zip's name without its ending, which is the folder it is unpacked into on a device. */
  readonly artifact: string;
}

const Package = z.object({
  version: ComponentVersion,
  coalmine: z.object({ component: ComponentName }),
});

/** What is fixed about a model's manifest; the rest is between the model and inference. */
export const ModelManifest = z.looseObject({
  component: ComponentName,
  version: ComponentVersion,
  file: z.literal("model.onnx"),
  sha256: Sha256,
});

/** Everything that this checkout can build, by name. */
export function findSources(root: string): Source[] {
  const components = folders(root, "components", "package.json").map((folder): Source => {
    const { version, coalmine } = readJson(Package, join(root, folder, "package.json"));
    return { component: coalmine.component, version, kind: "component", folder, artifact: lastPart(folder) };
  });
  const models = folders(root, "models", "manifest.json").map((folder): Source => {
    const { component, version } = readJson(ModelManifest, join(root, folder, "manifest.json"));
    return { component, version, kind: "model", folder, artifact: "model" };
  });
  const node: Source = {
    component: "coalmine.NodeRuntime",
    version: nodeRuntimeVersion(pinnedNode(root), readJson(Packaging, packagingFile(root)).packaging),
    kind: "node",
    folder: "recipes",
    artifact: "node",
  };
  return [...components, ...models, node].sort((a, b) => (a.component < b.component ? -1 : 1));
}

export const Packaging = z.object({ packaging: z.int().min(0).max(999) });
/** Counts how often the same Node was packed anew. */
export function packagingFile(root: string): string {
  return join(root, "recipes/node-runtime.json");
}

function folders(root: string, parent: string, file: string): string[] {
  if (!existsSync(join(root, parent))) return [];
  return readdirSync(join(root, parent))
    .filter((name) => existsSync(join(root, parent, name, file)))
    .map((name) => `${parent}/${name}`);
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
