import type { UpdateWait } from "@coalmine/contract/update-wait";
import { EvidenceReader, ReaderState } from "../evidence/evidence-reader.ts";
import { EvidenceStore } from "../evidence/evidence-store.ts";
import { type Tally, waitsOf } from "../evidence/tally.ts";
import { deadlinesOf, type Deadline } from "../rollout/deadlines.ts";
import type { RolloutTarget } from "../rollout/plan.ts";
import { targetsOf, type GroupDeployment, type Rollout, type TargetState } from "../rollout/state.ts";
import { waitsText } from "../why/waits-text.ts";
import { stageOf, type DeviceStage } from "./device-stage.ts";
import { membersOf } from "./fleet.ts";
import type { KeptDocuments } from "./kept.ts";
import { folderOf } from "./kept-bundle.ts";
import { readerKey } from "./looks.ts";
import type { Region } from "./region.ts";

/** How far a target's devices are, each counted once. */
export interface Progress {
  readonly devices: Readonly<Record<DeviceStage, number>>;
  /** Devices that were told something and are not where they should be, longest first. */
  readonly stuck: readonly StuckDevice[];
  /** In a group, but not in the plan: they joined later, belong to no arm, and run what their group runs. */
  readonly newcomers: readonly { thing: string; group: string; set: GroupDeployment["set"] }[];
}

export interface StuckDevice {
  readonly thing: string;
  readonly stage: DeviceStage;
  /** How long it has been there. */
  readonly ageMs: number;
  /** Of the present phase; undefined once the rollout has ended. */
  readonly deadline: Deadline | undefined;
  /** What its update waits for on it. */
  readonly waits?: UpdateWait;
  /** What happens, or what somebody can do. */
  readonly next: string;
}

/** What is seen of the devices at this moment, by target name. */
export async function readProgress(
  rollout: Rollout,
  regions: readonly Region[],
  kept: KeptDocuments,
): Promise<Record<string, Progress>> {
  const progress: Record<string, Progress> = {};
  for (const { plan, state, now } of targetsOf(rollout)) {
    const region = regions.find(({ target }) => target.name === plan.name);
    if (region === undefined) continue;
    const tally = await tallyOf(rollout.plan.rollout, plan, state, now, region, kept);
    const members = {
      [plan.canaryGroup]: await membersOf(region, plan.canaryGroup),
      [plan.mainGroup]: await membersOf(region, plan.mainGroup),
    };
    progress[plan.name] = progressOf(rollout, plan.name, tally, members);
  }
  return progress;
}

/** Goes on reading where the last look ended, and keeps nothing: the looks are the controller's. */
async function tallyOf(
  rollout: string,
  plan: RolloutTarget,
  { assignedAtMs }: TargetState,
  nowMs: number,
  { dynamodb }: Region,
  kept: KeptDocuments,
): Promise<Tally> {
  if (assignedAtMs === undefined) return {};
  const read = await kept.read(readerKey(folderOf(rollout, plan.name)), ReaderState);
  return new EvidenceReader(new EvidenceStore(dynamodb, plan.name), read ?? assignedAtMs).tallyAt(nowMs);
}

const NOBODY: Readonly<Record<DeviceStage, number>> = {
  notTold: 0,
  told: 0,
  inProgress: 0,
  onCandidate: 0,
  back: 0,
  failed: 0,
  silent: 0,
  offline: 0,
};

export function progressOf(
  rollout: Rollout,
  target: string,
  tally: Tally,
  members: Readonly<Record<string, readonly string[]>>,
): Progress {
  const devices = { ...NOBODY };
  const stuck: StuckDevice[] = [];
  const newcomers: Progress["newcomers"][number][] = [];
  const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
  if (own === undefined) return { devices, stuck, newcomers };
  const { plan, state, now } = own;
  const deadline = deadlinesOf(rollout).find((one) => one.target === target);
  for (const { thing } of plan.devices) {
    const { stage, sinceMs } = stageOf(rollout, plan, state, thing, tally[thing], now);
    devices[stage]++;
    const next = nextOf[stage];
    if (next === undefined) continue;
    const waits = stage === "inProgress" ? waitsOf(tally[thing], now) : undefined;
    const ageMs = Math.max(0, now - sinceMs);
    stuck.push({
      thing,
      stage,
      ageMs,
      deadline,
      ...(waits === undefined ? { next } : { waits, next: waitsText(waits) }),
    });
  }
  const planned = new Set(plan.devices.map(({ thing }) => thing));
  for (const [group, things] of Object.entries(members))
    for (const thing of things.filter((one) => !planned.has(one))) {
      const role = group === plan.canaryGroup ? "canary" : "main";
      newcomers.push({ thing, group, set: state.groups[role]?.set ?? "lastGood" });
    }
  stuck.sort((a, b) => b.ageMs - a.ageMs);
  return { devices, stuck, newcomers };
}

/** What is next for a device that is at a stage; undefined where it is where it should be. */
const nextOf: Readonly<Record<DeviceStage, string | undefined>> = {
  notTold: undefined,
  onCandidate: undefined,
  back: undefined,
  told: "it begins by itself; if it does not, look at the nucleus's log on the device",
  inProgress: "it ends by itself; a deployment that does not is failed by its job's timeout",
  failed: "look at its components' logs; the guard halts when too many fail",
  silent: "look at stream-uploader's log on it: it is connected and says nothing",
  offline: "see to its power and its network: it takes what its group runs when it is back",
};
