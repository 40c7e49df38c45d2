import { setImmediate } from "node:timers/promises";
import { Sha256 } from "@coalmine/contract";
import { CoalmineError } from "@coalmine/runtime";
import { EvidenceStore, MINUTE_MS } from "../evidence/evidence-store.ts";
import { fleetHistory } from "../evidence/fleet-history.ts";
import type { Device } from "../judge/bundle.ts";
import type { FleetHistory } from "../judge/plan.ts";
import { fitFleet } from "../policy-fit.ts";
import { canaryFor, historyWindow, type Canary } from "../policy-canary.ts";
import { windowsFor } from "../policy-windows.ts";
import { metricsOf, parsePolicy, targetPolicy, type Policy } from "../policy.ts";
import { changesOf, type ReleaseManifest } from "../release.ts";
import { isSameSet, nextDeployment, type ComponentSet } from "../rollout/deployment.ts";
import { RolloutPlan, rolloutPolicy, type RolloutTarget } from "../rollout/plan.ts";
import { seedHashOf } from "../rollout/seed.ts";
import { checkSigned } from "../supply/signed-release.ts";
import type { Signers } from "../supply/signers.ts";
import type { RolloutRecord } from "./audit.ts";
import { deployOnce } from "./deployments.ts";
import { fleetOf, runningRevision } from "./fleet.ts";
import type { Region } from "./region.ts";

export interface Asked {
  readonly rollout: string;
  readonly pipeline: string;
  readonly executionId: string;
  readonly release: ReleaseManifest;
  readonly policy: string;
  readonly regions: readonly Region[];
  /** Whose signature a release needs; without any it needs none. */
  readonly signers?: Signers | undefined;
  readonly seedOf: (target: string) => Promise<string>;
  readonly times: () => Promise<Record<string, number>>;
  /** The rollout that promoted a target to this set before, by verdict. */
  readonly knownGoodBy: (target: string, components: ComponentSet) => Promise<string | undefined>;
}

/** Why no plan can be made, as a person has to hear it. */
export class PlanRefused extends CoalmineError {
  readonly code = "ERR_ROLLOUT_REFUSED";
}

/** The first event of a rollout: its plan from what runs and who is there, or why there is none. */
export async function planRollout(asked: Asked): Promise<RolloutRecord> {
  const { rollout, pipeline, executionId, release, regions } = asked;
  const commit = release.commit;
  try {
    const policy = parsePolicy(asked.policy);
    const targets: RolloutTarget[] = [];
    for (const region of regions) {
      const seedHash = seedHashOf(await asked.seedOf(region.target.name));
      const planned = await planTarget(region, asked, policy, seedHash);
      if (planned === undefined) continue;
      const knownGoodBy = await asked.knownGoodBy(planned.name, planned.candidate.components);
      targets.push(knownGoodBy === undefined ? planned : { ...planned, knownGoodBy });
    }
    if (targets.length === 0)
      return {
        kind: "nothingToDo",
        executionId,
        commit,
        because: `the fleet runs every version of ${commit.slice(0, 12)} already`,
      };
    const plan = RolloutPlan.parse({ version: 1, rollout, release: commit.slice(0, 12), targets });
    const startedAt = await asked.times();
    return { kind: "planned", pipeline, executionId, release, policy: asked.policy, plan, startedAt };
  } catch (failure) {
    // Ours say what is wrong; others may pass with time.
    if (!(failure instanceof CoalmineError)) throw failure;
    return { kind: "refused", executionId, commit, because: failure.message };
  }
}

async function planTarget(
  region: Region,
  { rollout, release, signers, times }: Asked,
  policy: Policy,
  seedHash: string,
): Promise<RolloutTarget | undefined> {
  const { name, canaryGroup, mainGroup } = region.target;
  const running = await runningRevision(region, mainGroup);
  if (running === undefined)
    throw new PlanRefused(
      `nothing runs on ${mainGroup} in ${name}, so there is nothing to compare with or go back to; \`coalmine up\` installs the first release`,
    );
  const { components } = nextDeployment(running.components, changesOf(release, running.components), {
    allowRemoval: release.allowRemoval,
  });
  if (isSameSet(running.components, components)) return undefined;
  if (signers !== undefined) await checkSigned(region, release.components, running.components, signers);
  const { devices, zones } = await fleetOf(region, targetPolicy(policy, name));
  const windows = windowsFor(policy, name, zones, (await times())[name] ?? 0);
  if (typeof windows === "string") throw new PlanRefused(windows);
  const sized = await sizeCanary(region, policy, devices, times);
  const refusals = fitFleet(policy, name, devices, sized.devices);
  if (refusals.length > 0) throw new PlanRefused(refusals.join("; "));
  // What an earlier rollout left in the canary group must not decide what the drawn devices run until they are told.
  const canary = await runningRevision(region, canaryGroup);
  if (canary === undefined || !isSameSet(canary.components, running.components))
    await deployOnce(region, canaryGroup, `${rollout}/${name}/canary/aligned`, running.components, 60);
  return {
    name,
    canaryGroup,
    mainGroup,
    devices,
    seedHash: Sha256.parse(seedHash),
    ...(running.sinceMs === undefined ? {} : { unchangedSinceMs: running.sinceMs }),
    lastGood: { id: `revision ${running.revision} of ${mainGroup}`, components: running.components },
    candidate: { id: release.commit.slice(0, 12), components },
    sizedBecause: sized.because,
    policy: rolloutPolicy(policy, name, { canaryDevices: sized.devices, windows }),
  };
}

/** How many devices are drawn. History is read only where the policy asks for power: a day of it takes a while. */
async function sizeCanary(
  region: Region,
  policy: Policy,
  devices: readonly Device[],
  times: Asked["times"],
): Promise<Canary> {
  const { name } = region.target;
  const own = targetPolicy(policy, name);
  const history: FleetHistory =
    typeof own.canaryDevices === "number"
      ? { devices, bucketMs: MINUTE_MS, metrics: {} }
      : await fleetHistory(
          new EvidenceStore(region.dynamodb, name),
          devices,
          metricsOf(policy, own),
          historyWindow(own.soak, (await times())[name] ?? 0),
        );
  const canary = await canaryFor(policy, name, history, setImmediate);
  if (typeof canary === "string") throw new PlanRefused(canary);
  return canary;
}
