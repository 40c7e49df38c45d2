import { CoalmineError, messageOf, SeededRandom } from "@coalmine/runtime";
import { checkFault } from "../../cloud/control/fault-commands.ts";
import { drawn } from "../driven/reference-load.ts";
import type { DrivenRegion } from "../driven/region.ts";
import type { Check } from "../evidence/checks.ts";
import type { ScenarioFault } from "./fault-kinds.ts";
import { cloudFaults, strike } from "./strike.ts";
import { toldMs } from "./units.ts";

/** Ours: so many happen in a month of a line that flaps now and then. */
const HAPPENINGS_MAX = 5000;
const DAY_MS = 86_400_000;

/** A fault as it happens: once, to things by their names. */
export interface Happening {
  readonly fault: ScenarioFault;
  /** Counted from the scenario's beginning; of one that waits for a deployment's stage, from when on it waits. */
  readonly atMs: number;
  /** Undefined where it concerns no device, or whoever calls. */
  readonly things: readonly string[] | undefined;
  /** Its fault's place in the scenario's list. */
  readonly of: number;
}

export class ImpossibleFaults extends CoalmineError {
  readonly code = "ERR_SCENARIO_FAULTS";
}

export interface Placed {
  readonly thingName: string;
  readonly site: string;
  readonly deviceClass: string;
}

/** When and to whom everything happens, by the seed: of each fault by itself, so that leaving one out changes no other. */
export function happeningsOf(
  faults: readonly ScenarioFault[],
  seed: string,
  fleet: readonly Placed[],
): readonly Happening[] {
  const all = faults.flatMap((fault, of): Happening[] => {
    const random = new SeededRandom(`${seed}/fault/${of}/${fault.kind}`);
    const { every, perDay, stage, from = 0, until = 0 } = fault;
    if (every !== undefined)
      return Array.from({ length: bounded(Math.ceil((until - from) / every)) }, (_, index) => ({
        fault,
        atMs: from + index * every,
        things: concerned(fault, random, fleet),
        of,
      }));
    const things = concerned(fault, random, fleet);
    if (perDay === undefined)
      return [{ fault, atMs: stage === undefined ? (fault.at ?? 0) : from, things, of }];
    return (things ?? [undefined]).flatMap((thing) =>
      byChance(random.fork(thing ?? "calls"), perDay, from, until).map((atMs) => ({
        fault,
        atMs,
        things: thing === undefined ? undefined : [thing],
        of,
      })),
    );
  });
  bounded(all.length);
  return all;
}

function bounded(count: number): number {
  if (count <= HAPPENINGS_MAX) return count;
  throw new ImpossibleFaults(
    `the faults happen ${count} times and may ${HAPPENINGS_MAX}; let them happen less often or to fewer devices`,
  );
}

function byChance(random: SeededRandom, perDay: number, fromMs: number, untilMs: number): readonly number[] {
  const times: number[] = [];
  for (let at = fromMs; times.length <= HAPPENINGS_MAX; times.push(at)) {
    at += (-Math.log(1 - random.next()) * DAY_MS) / perDay;
    if (at >= untilMs) break;
  }
  return times;
}

function concerned(
  fault: ScenarioFault,
  random: SeededRandom,
  fleet: readonly Placed[],
): readonly string[] | undefined {
  if (fault.kind === "jump-clock") return undefined;
  const { things, share, devices, site, deviceClass } = fault;
  if (things !== undefined) return things;
  const there = fleet.filter(
    (one) =>
      (site === undefined || one.site === site) &&
      (deviceClass === undefined || one.deviceClass === deviceClass),
  );
  const isWhole = share === undefined && devices === undefined;
  if (isWhole && "service" in fault && there.length === fleet.length) return undefined;
  const portion = share ?? (devices === undefined ? 1 : Math.min(1, devices / Math.max(1, there.length)));
  return drawn(random, there, portion).map(({ thingName }) => thingName);
}

export type WrittenFault = Readonly<Record<string, unknown>> & { readonly kind: string };

/** What a written fault says of when and whom, which each happening says for itself. */
const placing = new Set([
  "every",
  "perDay",
  "until",
  "from",
  "at",
  "stage",
  "share",
  "devices",
  "site",
  "deviceClass",
]);
const inMs = new Set(["for", "delay", "wait", "killEvery", "by", "after"]);

/** The same as a list of faults that names times and things: what `--faults` takes, to play it again. */
export function written(all: readonly Happening[]): readonly WrittenFault[] {
  return all.map(({ fault, atMs, things }) => {
    const own = Object.entries(fault).flatMap(([name, value]) =>
      placing.has(name) || value === undefined
        ? []
        : [[name, inMs.has(name) ? `${String(value)} ms` : value]],
    );
    return {
      ...Object.fromEntries(own),
      kind: fault.kind,
      ...(fault.stage === undefined ? { at: `${atMs} ms` } : { stage: fault.stage, from: `${atMs} ms` }),
      ...(things === undefined ? {} : { things }),
    };
  });
}

/** Has each happen, counted from now. Gives how to tell whether they did. @throws ServiceError on what is not there. */
export function schedule(region: DrivenRegion, all: readonly Happening[], seed: string): () => Check {
  const happened = new Set<number>();
  const failed: string[] = [];
  const happen = (happening: Happening, things: readonly string[] | undefined): void => {
    const { fault, of, atMs } = happening;
    const random = new SeededRandom(`${seed}/strike/${fault.kind}/${atMs}/${things?.join(" ") ?? ""}`);
    strike(region, fault, things, random).then(
      (struck) => struck && happened.add(of),
      (failure: unknown) => failed.push(`${fault.kind} at ${toldMs(atMs)}: ${messageOf(failure)}`),
    );
  };
  const there = new Set(region.things);
  for (const happening of all) {
    const { fault, atMs, things } = happening;
    for (const one of cloudFaults(fault, things)) checkFault(region.cloud, one);
    for (const thing of things ?? [])
      if (!there.has(thing))
        throw new ImpossibleFaults(
          `a ${fault.kind} concerns ${thing}, and there is no such device; they are ${region.things[0]} to ${region.things.at(-1)}`,
        );
    // What concerns devices that live in another process happens there.
    if (things?.every((thing) => region.device(thing) === undefined) === true && things.length > 0)
      happened.add(happening.of);
    if (fault.stage === undefined) region.clock.timer(atMs, () => happen(happening, things));
    else
      for (const thing of things ?? []) atStage(region, thing, fault, atMs, () => happen(happening, [thing]));
  }
  const faults = new Map(all.map(({ of, fault }) => [of, fault.kind]));
  return () => {
    const missing = [...faults]
      .filter(([of]) => !happened.has(of))
      .map(([, kind]) => `no ${kind} struck anybody`);
    const wrong = [...failed, ...missing];
    return {
      name: "every fault happened",
      ok: wrong.length === 0,
      found: `${happened.size} of ${faults.size}${wrong
        .slice(0, 3)
        .map((why) => `; ${why}`)
        .join("")}`,
    };
  };
}

/** Once, the first time that a deployment of the device comes to the fault's stage. */
function atStage(
  region: DrivenRegion,
  thing: string,
  { stage = "preparing", after = 0 }: ScenarioFault,
  fromMs: number,
  happen: () => void,
): void {
  const since = region.clock.now() + fromMs;
  const watching = region.device(thing)?.onDeploymentStage(stage, () => {
    if (region.clock.now() < since) return;
    watching?.close();
    // Not from within the write that told of it.
    region.clock.timer(after, happen);
  });
}
