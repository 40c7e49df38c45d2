import {
  CancelDeploymentCommand,
  ConflictException,
  ResourceNotFoundException,
  ValidationException,
} from "@aws-sdk/client-greengrassv2";
import {
  AddThingToThingGroupCommand,
  InvalidRequestException,
  RemoveThingFromThingGroupCommand,
  ResourceNotFoundException as ThingNotFoundException,
} from "@aws-sdk/client-iot";
import { invariant, messageOf } from "@coalmine/runtime";
import type { Deed } from "../rollout/action.ts";
import type { Evidence } from "../rollout/evidence.ts";
import type { RolloutTarget } from "../rollout/plan.ts";
import { unreachable } from "../rollout/state.ts";
import { deployOnce } from "./deployments.ts";
import { membersOf } from "./fleet.ts";
import type { FoldedRollout } from "./folded.ts";
import type { OpenWait, PipelineWaits } from "./pipeline-waits.ts";
import { eachOf, type Region } from "./region.ts";

/** A sentence for people, under a key that it has each time it is told. */
export interface Notice {
  readonly key: string;
  readonly rollout: string;
  readonly about: string;
  readonly sentence: string;
}
/** Told at least once; whoever passes it on may tell repeats by their key. */
export type Notify = (notice: Notice) => Promise<void>;

export interface DeedPorts {
  readonly regionOf: (target: string) => Region;
  readonly seedOf: (rollout: string, target: string) => Promise<string>;
  readonly waits: PipelineWaits;
  readonly notify: Notify;
}

/** Thrown on the way by what cannot get better with time. */
const refusals = [
  ValidationException,
  ResourceNotFoundException,
  InvalidRequestException,
  ThingNotFoundException,
];

/**
 * Carries out one deed, which may have been carried out before: it has the effect of once. Gives what the rollout is
 * to be told, or undefined where it is to be tried again. What may pass with time is thrown.
 */
export async function carryOut(
  deed: Deed,
  folded: FoldedRollout,
  open: readonly OpenWait[],
  ports: DeedPorts,
): Promise<Evidence | undefined> {
  const done: Evidence = { kind: "done", key: deed.key };
  try {
    switch (deed.kind) {
      case "draw":
        return { kind: "drawn", target: deed.target, seed: await ports.seedOf(folded.id, deed.target) };
      case "moveThings":
        await moveThings(deed, planOf(folded, deed.target), ports.regionOf(deed.target));
        return done;
      case "createDeployment": {
        const { deadlinesMs } = planOf(folded, deed.target).policy;
        // A device that has begun and does not end within the phase's own time has failed.
        const patienceMs = Math.max(
          deadlinesMs.deploy,
          deadlinesMs.wave,
          deadlinesMs.verify,
          deadlinesMs.rollback,
        );
        const region = ports.regionOf(deed.target);
        const minutes = Math.min(10_080, Math.max(1, Math.ceil(patienceMs / 60_000)));
        const deploymentId = await deployOnce(region, deed.group, deed.key, deed.components, minutes);
        return { kind: "deploymentCreated", key: deed.key, deploymentId };
      }
      case "cancelDeployment":
        await cancel(deed.deploymentId, ports.regionOf(deed.target));
        return done;
      case "answerApproval":
        return (await answer(deed, folded, open, ports.waits)) ? done : undefined;
      case "notify":
        await ports.notify({ key: deed.key, rollout: folded.id, about: deed.about, sentence: deed.sentence });
        return done;
      case "startRollout":
        // Its execution stands at the first wait, where the next tick finds it.
        return done;
      default:
        return unreachable(deed);
    }
  } catch (failure) {
    if (refusals.some((Refusal) => failure instanceof Refusal))
      return { kind: "failed", key: deed.key, because: messageOf(failure) };
    throw failure;
  }
}

function planOf(folded: FoldedRollout, target: string): RolloutTarget {
  const plan = folded.planned?.record.plan.targets.find(({ name }) => name === target);
  invariant(plan !== undefined, `rollout ${folded.id} has no target ${target}`);
  return plan;
}

/** Into the one group first, then out of the other: at no time is a device in neither, where it would lose everything. */
async function moveThings(
  deed: Extract<Deed, { kind: "moveThings" }>,
  plan: RolloutTarget,
  region: Region,
): Promise<void> {
  const other = deed.group === plan.canaryGroup ? plan.mainGroup : plan.canaryGroup;
  const there = new Set(await membersOf(region, deed.group));
  const elsewhere = new Set(await membersOf(region, other));
  const wanted = new Set(deed.things);
  const toOther = deed.exactly ? [...there].filter((thing) => !wanted.has(thing)) : [];
  await move(
    region,
    deed.things.filter((thing) => !there.has(thing) || elsewhere.has(thing)),
    deed.group,
    other,
  );
  await move(region, toOther, other, deed.group);
}

async function move({ iot }: Region, things: readonly string[], into: string, outOf: string): Promise<void> {
  await eachOf(things, async (thingName) => {
    await iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: into }));
    await iot.send(new RemoveThingFromThingGroupCommand({ thingName, thingGroupName: outOf }));
  });
}

async function cancel(deploymentId: string, { greengrass }: Region): Promise<void> {
  try {
    await greengrass.send(new CancelDeploymentCommand({ deploymentId }));
  } catch (failure) {
    // Not active any more: a newer revision has taken its place, or it has been canceled.
    if (!(failure instanceof ConflictException)) throw failure;
  }
}

/** True once the wait needs no answer any more. */
async function answer(
  deed: Extract<Deed, { kind: "answerApproval" }>,
  folded: FoldedRollout,
  open: readonly OpenWait[],
  waits: PipelineWaits,
): Promise<boolean> {
  const executionId = folded.planned?.record.executionId ?? "";
  const wait = open.find((one) => one.stage === deed.stage && one.executionId === executionId);
  if (wait !== undefined) return waits.answer(wait, deed.approved, deed.sentence);
  // Not open yet, unless the execution has ended, or has gone past this stage: answered before a crash.
  if ((await waits.execution(executionId)).status !== "InProgress") return true;
  return waits.isAnswered(deed.stage, executionId);
}
