import * as z from "zod";
import { componentNames, ComponentName, ComponentVersion, Sha256 } from "./ids.ts";

/** Which model inference runs: what a deployment tells it, so that a model swaps without a restart. */
export const ModelChoice = z.object({ component: ComponentName, version: ComponentVersion, sha256: Sha256 });
export type ModelChoice = z.infer<typeof ModelChoice>;

/** What a component may do on its device, as its recipe says; JSON pointer into its configuration. */
const RIGHTS = "/accessControl";
const MODEL = "/model";

/**
 * Inference of this version and later has the model's version under `componentVersion`. A nucleus takes a change of any
 * leaf called `version`, wherever it lies, for a new version of the component, and installs that anew.
 */
const RENAMED_IN = "1.0.15";

/** What `inference`, a version of the component, is to be configured with to run a model. */
export function modelConfiguration(
  { component, version, sha256 }: ModelChoice,
  inference: string,
): Readonly<Record<string, string>> {
  const isRenamed = inference.localeCompare(RENAMED_IN, "en", { numeric: true }) >= 0;
  return { component, [isRenamed ? "componentVersion" : "version"]: version, sha256 };
}

/**
 * What of a component's configuration goes back to its recipe's defaults when its version changes: devices keep the
 * configuration that they have, so what another version asks for, or no longer knows, stays away or stays.
 */
export function resetWithVersion(component: string): readonly string[] {
  return component === componentNames.inference ? [RIGHTS, MODEL] : [RIGHTS];
}
