import type { ConfigurationTree } from "../configuration/tree.ts";
import { definitionOf } from "../lifecycle/definition.ts";
import type { Services } from "../lifecycle/services.ts";
import type { Ongoing } from "./deployment.ts";
import { DeploymentError, type Restart } from "./deployment-error.ts";

/** What a bootstrap step may end with beside 0. */
const RESTART_NUCLEUS = 100;
const RESTART_DEVICE = 101;

interface BootstrapOptions {
  readonly services: Services;
  readonly remember: (ongoing: Ongoing) => Promise<void>;
  readonly ownerOf: (component: string) => Promise<string>;
  readonly signal: AbortSignal;
}

/**
 * Runs what is left of a deployment's bootstrap steps, one after the other, as `from` has them. Undefined when all are
 * done, a restart where one asks for it; throws `DeploymentError` where one fails.
 */
export async function runBootstraps(
  ongoing: Ongoing,
  from: ConfigurationTree,
  { services, remember, ownerOf, signal }: BootstrapOptions,
): Promise<Restart | undefined> {
  for (const [index, name] of ongoing.bootstrap.entries()) {
    const definition = definitionOf(from, name);
    if (definition === undefined) continue;
    const outcome = await services.bootstrap(definition);
    signal.throwIfAborted();
    const exitCode = outcome.ok ? 0 : outcome.exitCode;
    if (!outcome.ok && exitCode !== RESTART_NUCLEUS && exitCode !== RESTART_DEVICE)
      throw new DeploymentError(
        [
          "COMPONENT_UPDATE_ERROR",
          outcome.code === "BOOTSTRAP_TIMEOUT" ? "COMPONENT_BOOTSTRAP_TIMEOUT" : "COMPONENT_BOOTSTRAP_ERROR",
        ],
        `Service ${name} failed to bootstrap. ${outcome.reason}`,
        [await ownerOf(name)],
      );
    // Done, whatever comes now: a step that asked for a restart is not run again after it.
    await remember({ ...ongoing, bootstrap: ongoing.bootstrap.slice(index + 1) });
    if (exitCode !== 0) return { restart: exitCode === RESTART_DEVICE ? "device" : "nucleus" };
  }
  return undefined;
}

/** The steps of the versions that come back which want to be run for that. */
export function bootstrapsAgain(snapshot: ConfigurationTree, target: ConfigurationTree): string[] {
  return Object.keys(target.getObject(["services"])).filter((name) => {
    const before = definitionOf(snapshot, name);
    const changed = before?.version !== definitionOf(target, name)?.version;
    return changed && before?.steps.bootstrapOnRollback === true;
  });
}
