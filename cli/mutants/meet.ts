import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { type MutantName, mutants } from "../../simulator/fleet/mutants/catalogue.ts";
import type { Change } from "../../simulator/fleet/mutants/change.ts";
import { NotWeighed, weighing } from "../../simulator/fleet/weighing/weighing.ts";
import type { OwnRelease } from "../simulate/own-release.ts";
import { buildCandidate } from "../simulate/releases.ts";
import { simulate } from "../simulate/simulate.ts";
import { causesOf } from "../simulate/tally.ts";
import type { Places } from "../system/state.ts";
import { checked } from "./checked.ts";
import type { LayerName, Outcome } from "./layer.ts";
import { rehearsed } from "./rehearsed.ts";

/** As the judge's own table has it: docs/regressions.md. */
const CANARY_DEVICES = 16;
const HOUR_MS = 3_600_000;

export interface Meeting {
  readonly at: Places;
  /** Of this run alone. */
  readonly folder: string;
  /** What runs before the bad release comes. */
  readonly built: OwnRelease;
  readonly running: OwnRelease;
  readonly devices: number;
  readonly seed: string;
  /** As text. */
  readonly policy: string;
  readonly signal: AbortSignal;
  readonly told: (name: string, layer: LayerName, outcome: Outcome) => void;
}

/** Has one bad release, or with `unchanged` none, meet the layers that are asked for. */
export async function meet(
  meeting: Meeting,
  name: MutantName | "unchanged",
  layers: readonly LayerName[],
): Promise<Partial<Record<LayerName, Outcome>>> {
  const { at, folder, built, running, devices, seed } = meeting;
  const change: Change | undefined = name === "unchanged" ? undefined : mutants[name];
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const artifacts = join(folder, "unpacked");
  const met: Partial<Record<LayerName, Outcome>> = {};
  let candidate: OwnRelease | undefined;
  const dist = async (): Promise<string> =>
    (candidate ??= await buildCandidate(at, own, built, change, name)).dist;
  const meets: Readonly<Record<LayerName, () => Promise<Outcome | undefined>>> = {
    check: async () => change && checked(at.root, join(folder, "clone"), at.cache, name, change),
    hosted: async () => {
      const releases = ["--candidate", await dist(), "--running", running.dist];
      const how = [
        "--devices",
        String(devices),
        "--seed",
        seed,
        "--artifacts",
        artifacts,
        "--gate",
        "upgrade",
      ];
      return { ...(await rehearsed(at.root, "main.ts", [...releases, ...how])), devices };
    },
    weighed: async () => weighed(running.dist, await dist(), seed, artifacts),
    canary: () => canary(meeting, change),
  };
  for (const layer of layers) {
    const outcome = await meets[layer]();
    if (outcome === undefined) continue;
    met[layer] = outcome;
    meeting.told(name, layer, outcome);
  }
  rmSync(own, { recursive: true, force: true });
  return met;
}

/** A release that cannot be installed cannot be weighed either, which is what a rehearsal says of it too. */
async function weighed(
  running: string,
  candidate: string,
  seed: string,
  artifacts: string,
): Promise<Outcome> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  try {
    const checks = await weighing(running, candidate, seed, artifacts);
    const wrong = checks.find(({ ok }) => !ok);
    const found = wrong?.found ?? checks.map((one) => one.found).join("; ");
    return { by: wrong?.name ?? null, found, seconds: seconds() };
  } catch (failure) {
    if (!(failure instanceof NotWeighed) || failure.release !== candidate) throw failure;
    // What is written down is of no one machine.
    const found = failure.message.replace(candidate, "the candidate");
    return { by: failure.code, found, seconds: seconds() };
  }
}

/** The release on the driven region alone, past whatever would stop it earlier. */
async function canary({ at, policy, seed, signal }: Meeting, change: Change | undefined): Promise<Outcome> {
  const [rollout] = await simulate({
    at,
    change,
    policy,
    seeds: [seed],
    devices: CANARY_DEVICES,
    regionsMax: 1,
    clock: systemClock,
    signal,
    told: () => undefined,
  });
  if (rollout === undefined) return { by: null, found: "no seed was decided", seconds: 0 };
  const { because, elapsedMs, wallSeconds } = rollout;
  const causes = rollout.ended === "halted" ? causesOf(rollout.halt).map(({ what }) => what) : [];
  return {
    by: causes.length === 0 ? null : causes.join(" and "),
    found: because,
    seconds: wallSeconds,
    hours: elapsedMs / HOUR_MS,
  };
}
