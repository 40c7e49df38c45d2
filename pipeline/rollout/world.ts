import { isDeed, type Action, type Deed } from "./action.ts";
import type { Evidence } from "./evidence.ts";
import { RolloutPlan, type Release, type RolloutPolicy } from "./plan.ts";
import { seedHashOf } from "./seed.ts";

/**
 * A small cloud with devices, to try rollouts on: groups with their latest revision, things that belong to one group,
 * devices that take the revision of their group when they are asked to.
 */

const MINUTE_MS = 60_000;

export const policyOfWorld: RolloutPolicy = {
  canaryDevices: 2,
  unjudgedDevicesMax: 2,
  waves: [0.5, 1],
  prePeriodMs: 60 * MINUTE_MS,
  soakMs: 60 * MINUTE_MS,
  horizonMs: 120 * MINUTE_MS,
  lookEveryMs: 30 * MINUTE_MS,
  pulseEveryMs: 5 * MINUTE_MS,
  waveSoakMs: 10 * MINUTE_MS,
  promotes: "person",
  arrivedShareMin: 0.75,
  deadlinesMs: {
    draw: 10 * MINUTE_MS,
    deploy: 60 * MINUTE_MS,
    approval: 600 * MINUTE_MS,
    hold: 500 * MINUTE_MS,
    decide: 400 * MINUTE_MS,
    wave: 60 * MINUTE_MS,
    verify: 60 * MINUTE_MS,
    rollback: 60 * MINUTE_MS,
  },
};

export const seedOf = (target: string): string => `seed of ${target}`;

/** A plan for targets of so many devices; the candidate raises one component and configures it. */
export function planOfWorld(sizes: Readonly<Record<string, number>>): RolloutPlan {
  return RolloutPlan.parse({
    version: 1,
    rollout: "r1",
    release: "commit-1",
    targets: Object.entries(sizes).map(([name, size]) => ({
      name,
      canaryGroup: `${name}-canary`,
      mainGroup: `${name}-main`,
      devices: Array.from({ length: size }, (_, index) => ({
        thing: `${name}-${index}`,
        stratum: "all",
        cluster: `${name}-${index}`,
      })),
      seedHash: seedHashOf(seedOf(name)),
      lastGood: { id: "good", components: { "coalmine.Inference": { version: "1.0.0" } } },
      candidate: {
        id: "new",
        components: { "coalmine.Inference": { version: "1.0.1", merge: { batch: 8 } } },
      },
      policy: { ...policyOfWorld, canaryDevices: Math.min(2, size - 1) },
    })),
  });
}

/** The plan of the next rollout in a world: from what its main groups run to a version that nobody has seen yet. */
export function planAfter(plan: RolloutPlan, world: World, number: number): RolloutPlan {
  const candidate = {
    id: `new-${number}`,
    components: { "coalmine.Inference": { version: `1.0.${number}`, merge: { batch: 8 } } },
  };
  return RolloutPlan.parse({
    ...plan,
    rollout: `r${number}`,
    release: `commit-${number}`,
    targets: plan.targets.map((target) => ({
      ...target,
      lastGood: world.revisions.get(target.mainGroup)?.release,
      candidate,
    })),
  });
}

interface WorldDevice {
  readonly target: string;
  readonly thing: string;
  group: string;
  set: string;
  deploymentId: string;
}

export class World {
  readonly devices = new Map<string, WorldDevice>();
  /** Group → its latest revision. */
  readonly revisions = new Map<string, { id: string; set: string; release: Release }>();
  readonly deeds: Deed[] = [];
  readonly #ids = new Map<string, string>();
  readonly #mainOf = new Map<string, string>();
  /** Version of inference → the set that has it. */
  readonly #releases = new Map<string, Release>();

  constructor(plan: RolloutPlan) {
    this.learn(plan);
    for (const target of plan.targets) {
      for (const group of [target.canaryGroup, target.mainGroup]) {
        this.revisions.set(group, {
          id: `${group}:1`,
          set: target.lastGood.id,
          release: target.lastGood,
        });
        this.#mainOf.set(group, target.mainGroup);
      }
      for (const [index, { thing }] of target.devices.entries())
        this.devices.set(thing, {
          target: target.name,
          thing,
          // Somebody is left in the canary group by an earlier rollout.
          group: index === 0 ? target.canaryGroup : target.mainGroup,
          set: target.lastGood.id,
          deploymentId: `${target.mainGroup}:1`,
        });
    }
  }

  /** Does what is asked, once a key, and answers what a controller would tell the rollout. */
  carryOut(action: Action): Evidence | undefined {
    if (!isDeed(action)) return undefined;
    this.deeds.push(action);
    if (action.kind === "draw") return { kind: "drawn", target: action.target, seed: seedOf(action.target) };
    if (action.kind === "moveThings") this.#move(action);
    if (action.kind !== "createDeployment") return { kind: "done", key: action.key };
    const known = this.#ids.get(action.key);
    if (known !== undefined) return { kind: "deploymentCreated", key: action.key, deploymentId: known };
    const id = `${action.group}:${this.#ids.size + 2}`;
    this.#ids.set(action.key, id);
    const release = this.#releases.get(action.components["coalmine.Inference"]?.version ?? "");
    if (release === undefined) throw new Error(`no plan has the components of ${action.key}`);
    this.revisions.set(action.group, { id, set: release.id, release });
    return { kind: "deploymentCreated", key: action.key, deploymentId: id };
  }

  /** The device takes its group's revision, and says so. */
  sync(thing: string): Evidence | undefined {
    const device = this.devices.get(thing);
    const revision = device === undefined ? undefined : this.revisions.get(device.group);
    if (device === undefined || revision === undefined) return undefined;
    device.set = revision.set;
    device.deploymentId = revision.id;
    return {
      kind: "reported",
      target: device.target,
      thing,
      set: device.set,
      deploymentId: device.deploymentId,
    };
  }

  /** Devices that run this set, or will as soon as they hear of it. */
  exposed(target: string, set = "new"): string[] {
    return [...this.devices.values()]
      .filter(
        (one) => one.target === target && (one.set === set || this.revisions.get(one.group)?.set === set),
      )
      .map(({ thing }) => thing);
  }

  /** What a plan calls its sets, and a canary group that runs what the main group does, as planning leaves it. */
  learn({ targets }: RolloutPlan): void {
    for (const { lastGood, candidate, canaryGroup, mainGroup } of targets) {
      for (const release of [lastGood, candidate])
        this.#releases.set(release.components["coalmine.Inference"]?.version ?? "", release);
      const main = this.revisions.get(mainGroup);
      if (main !== undefined && this.revisions.get(canaryGroup)?.set !== main.set)
        this.revisions.set(canaryGroup, { ...main, id: `${canaryGroup}:${this.#ids.size + 2}-aligned` });
    }
  }

  /** A device that no plan knows joins a target's main group. */
  join(target: string, group: string): void {
    const thing = `${target}-late-${this.devices.size}`;
    this.devices.set(thing, { target, thing, group, set: "none", deploymentId: "none" });
  }

  #move({ group, things, exactly }: Extract<Deed, { kind: "moveThings" }>): void {
    for (const device of this.devices.values())
      if (things.includes(device.thing)) device.group = group;
      else if (exactly && device.group === group) device.group = this.#mainOf.get(group) ?? group;
  }
}
