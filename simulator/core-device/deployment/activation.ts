import type { Clock, Instant, Log } from "@coalmine/ports";
import type { ConfigurationTree } from "../configuration/tree.ts";
import type { Services } from "../lifecycle/services.ts";
import { isHealthy } from "../lifecycle/states.ts";
import { DeploymentError } from "./deployment-error.ts";

/** How often health is looked at. There is no limit in all: the cloud's job timeout is the limit. */
const POLL_MS = 1000;

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
  tree.put([], target.root);
  await synced();
  const begun = clock.now();
  services.apply(true);
  await untilHealthy(begun, options, []);
}

/** Takes away what nothing asks for any more. */
export async function retire(obsolete: readonly string[], options: ActivationOptions): Promise<void> {
  const { tree, services, synced, clock } = options;
  for (const name of obsolete) tree.remove(["services", name], clock.now());
  await services.retire();
  await synced();
}

/** Puts the snapshot back; a component that was BROKEN before is not waited for. */
export async function rollBack(
  snapshot: ConfigurationTree,
  brokenBefore: readonly string[],
  options: ActivationOptions,
): Promise<void> {
  const { tree, services, synced, clock } = options;
  tree.put([], snapshot.root);
  await synced();
  const begun = clock.now();
  services.apply(true);
  await services.retire();
  await untilHealthy(begun, options, brokenBefore);
}

async function untilHealthy(
  begun: Instant,
  options: ActivationOptions,
  passedOver: readonly string[],
): Promise<void> {
  const { clock, services, signal, ownerOf } = options;
  for (;;) {
    const tracked = services.all().filter((component) => !passedOver.includes(component.name));
    const broken = tracked.find(
      ({ lifecycle }) =>
        lifecycle.state === "BROKEN" && lifecycle.changedAt >= begun && lifecycle.desired[0] !== "NEW",
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
