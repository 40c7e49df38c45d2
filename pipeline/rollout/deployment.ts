import { resetWithVersion } from "@coalmine/contract/model-choice";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";

/** A component as a deployment pins it. */
export const ComponentSpec = z.object({
  version: z.string().min(1),
  /** Configuration to merge, and JSON pointers to set back to the recipe's defaults first. */
  merge: z.record(z.string(), z.json()).optional(),
  reset: z.array(z.string()).optional(),
});
export type ComponentSpec = z.infer<typeof ComponentSpec>;

/** All components of a group, by name: a revision replaces, so what is not listed is removed from the devices. */
export const ComponentSet = z.record(z.string(), ComponentSpec);
export type ComponentSet = z.infer<typeof ComponentSet>;

export interface DeploymentDiff {
  readonly added: readonly string[];
  readonly changed: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly reconfigured: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

export class DeploymentRefused extends CoalmineError {
  readonly code = "ERR_DEPLOYMENT_REMOVES";
}

/**
 * The next revision of a group: the running one with the changes laid over it, so that what others put there stays.
 * `null` removes a component, which needs `allowRemoval`.
 */
export function nextDeployment(
  running: ComponentSet,
  changes: Readonly<Record<string, ComponentSpec | null>>,
  { allowRemoval }: { readonly allowRemoval: boolean },
): { readonly components: ComponentSet; readonly diff: DeploymentDiff } {
  const removed = Object.keys(changes).filter(
    (name) => changes[name] === null && running[name] !== undefined,
  );
  if (removed.length > 0 && !allowRemoval)
    throw new DeploymentRefused(
      `the release would remove ${removed.join(", ")} from the devices; say so with the flag that allows removal, or keep them`,
    );
  const components: ComponentSet = Object.fromEntries(
    Object.entries({ ...running, ...changes })
      .flatMap(([name, spec]) => (spec === null ? [] : [[name, spec] as const]))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return { components, diff: diffOf(running, components) };
}

/** What changes between two revisions. */
export function diffOf(from: ComponentSet, to: ComponentSet): DeploymentDiff {
  const diff = {
    added: Object.keys(to).filter((name) => from[name] === undefined),
    changed: [] as { name: string; from: string; to: string }[],
    reconfigured: [] as string[],
    removed: Object.keys(from).filter((name) => to[name] === undefined),
    unchanged: [] as string[],
  };
  for (const [name, spec] of Object.entries(to)) {
    const old = from[name];
    if (old === undefined) continue;
    if (old.version !== spec.version) diff.changed.push({ name, from: old.version, to: spec.version });
    else if (canonical(old) !== canonical(spec)) diff.reconfigured.push(name);
    else diff.unchanged.push(name);
  }
  return diff;
}

export function isSameSet(one: ComponentSet, other: ComponentSet): boolean {
  const { added, changed, reconfigured, removed } = diffOf(one, other);
  return added.length + changed.length + reconfigured.length + removed.length === 0;
}

/**
 * The revision that brings the last good set back. Devices keep configuration that was merged into them, so whatever
 * the candidate configured differently starts again from the recipe's defaults; of another version what that one resets.
 */
export function rollbackDeployment(lastGood: ComponentSet, candidate: ComponentSet): ComponentSet {
  return Object.fromEntries(
    Object.entries(lastGood).map(([name, spec]) => {
      const tried = candidate[name];
      if (tried === undefined) return [name, spec];
      if (canonical(configuration(name, tried)) !== canonical(configuration(name, spec)))
        return [name, { ...spec, reset: [""] }];
      return [name, tried.reset === undefined ? spec : { ...spec, reset: tried.reset }];
    }),
  );
}

function configuration(name: string, { merge, reset = [] }: ComponentSpec): unknown {
  const ofVersion = resetWithVersion(name);
  return { merge: merge ?? {}, reset: reset.filter((pointer) => !ofVersion.includes(pointer)) };
}

/** JSON with sorted keys, so that equal settings compare equal however they were written down. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
