import type { Clock, Log } from "@coalmine/ports";
import { copyOf, type ConfigurationTree } from "../configuration/tree.ts";
import type { Services } from "../lifecycle/services.ts";
import { isHealthy } from "../lifecycle/states.ts";
import { DeploymentError } from "./deployment-error.ts";

/** How often health is looked at. There is no limit in all: the cloud's job timeout is the limit. */
const POLL_MS = 1000;

const FLEET_STATUS = "FleetStatusService";
const RUNTIME = "runtime";
const CONFIGURATION = "configuration";

interface ActivationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly services: Services;
  readonly tree: ConfigurationTree;
  readonly synced: () => Promise<void>;
  /** Whose component it is, in the words of `deployment-error-types`. */
  readonly ownerOf: (component: string) => Promise<string>;
  readonly signal: AbortSignal;
}

/** Puts `target` in place, and waits until every component of it is well. Rejects when one breaks. */
export async function activate(target: ConfigurationTree, options: ActivationOptions): Promise<void> {
  const { tree, services, synced, clock } = options;
  putServices(tree, target, true);
  await synced();
  const begunMs = clock.monotonicMs();
  services.apply(true);
  await untilHealthy(begunMs, options, []);
}

/** Takes away what nothing asks for any more. */
export async function retire(obsolete: readonly string[], options: ActivationOptions): Promise<void> {
  const { tree, services, synced, clock } = options;
  for (const name of obsolete) tree.remove(["services", name], clock.now());
  await services.retire();
  await synced();
}

/** Puts the snapshot back; a component that was BROKEN before is not waited for, nor is what depends on it. */
export async function rollBack(
  snapshot: ConfigurationTree,
  brokenBefore: readonly string[],
  options: ActivationOptions,
): Promise<void> {
  const { tree, services, synced, clock } = options;
  putServices(tree, snapshot, false);
  for (const name of Object.keys(tree.getObject(["services"])))
    if (name !== FLEET_STATUS && snapshot.find(["services", name]) === undefined)
      tree.remove(["services", name], clock.now());
  await synced();
  const begunMs = clock.monotonicMs();
  services.apply(true);
  await services.retire();
  await untilHealthy(begunMs, options, brokenBefore);
}

/**
 * What a component keeps at run time is its own, whichever version it is; so is what has been told to the cloud. Where
 * `newerStays`, so is what a component has written into its configuration since the deployment.
 */
function putServices(tree: ConfigurationTree, from: ConfigurationTree, newerStays: boolean): void {
  const services = from.find(["services"]);
  if (services?.kind !== "interior") return;
  for (const service of services.children.values()) {
    if (service.kind === "leaf" || service.name === FLEET_STATUS) continue;
    const wanted = copyOf(service);
    const configuration = wanted.children.get(CONFIGURATION);
    for (const own of newerStays ? [RUNTIME, CONFIGURATION] : [RUNTIME]) {
      wanted.children.delete(own);
      const kept = tree.find(["services", service.name, own]);
      if (kept?.kind === "interior") wanted.children.set(own, copyOf(kept));
    }
    tree.put(["services", service.name], wanted);
    if (newerStays && configuration?.kind === "interior")
      tree.replace(["services", service.name, CONFIGURATION], configuration);
  }
}

async function untilHealthy(
  begunMs: number,
  options: ActivationOptions,
  passedOver: readonly string[],
): Promise<void> {
  const { clock, services, signal, ownerOf } = options;
  for (;;) {
    const untracked = withDependents(passedOver, services);
    const tracked = services.all().filter(({ name }) => !untracked.has(name));
    const broken = tracked.find(
      ({ lifecycle }) =>
        lifecycle.state === "BROKEN" && lifecycle.changedAtMs >= begunMs && lifecycle.desired[0] !== "NEW",
    );
    if (broken !== undefined)
      throw new DeploymentError(
        ["COMPONENT_UPDATE_ERROR", "COMPONENT_BROKEN"],
        `Service ${broken.name} in broken state after deployment`,
        [await ownerOf(broken.name)],
      );
    const arrived = ({ lifecycle }: (typeof tracked)[number]): boolean =>
      isHealthy(lifecycle.state) && lifecycle.desired.length === 0;
    if (tracked.every(arrived)) return;
    await clock.sleep(POLL_MS, signal);
  }
}

function withDependents(names: readonly string[], services: Services): ReadonlySet<string> {
  const found = new Set(names);
  for (const name of found)
    for (const component of services.all())
      if (component.definition.dependencies.some((each) => each.name === name && each.type === "HARD"))
        found.add(component.name);
  return found;
}
