import { isSameSet, type ComponentSet } from "../rollout/deployment.ts";
import { readEntry } from "./audit.ts";
import { readRollout } from "./folded.ts";
import type { RolloutLog } from "./rollout-log.ts";

/**
 * The latest rollout that promoted this very set in this target after its judge said PROMOTE; undefined where there is
 * none among those that are listed. What two people let through unjudged proves nothing.
 */
export async function knownGoodBy(
  log: RolloutLog,
  target: string,
  components: ComponentSet,
): Promise<string | undefined> {
  for (const { rollout } of await log.list()) {
    // Its plan is the first event; only where that fits are all of them read.
    const first = await log.first(rollout);
    const record = first === undefined ? undefined : readEntry(first).record;
    if (record?.kind !== "planned") continue;
    const tried = record.plan.targets.find(({ name }) => name === target)?.candidate.components;
    if (tried === undefined || !isSameSet(tried, components)) continue;
    const ended = (await readRollout(log, rollout))?.planned?.rollout;
    const isPromoted = ended?.phase.phase === "done" && ended.phase.outcome === "promoted";
    if (isPromoted && ended.targets[target]?.verdict?.verdict === "PROMOTE") return rollout;
  }
  return undefined;
}
