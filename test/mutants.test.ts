import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LayerName } from "../cli/mutants/layer.ts";
import { meet, type Meeting } from "../cli/mutants/meet.ts";
import { rehearsed } from "../cli/mutants/rehearsed.ts";
import { ownRelease } from "../cli/simulate/own-release.ts";
import { buildCandidate, buildRunning } from "../cli/simulate/releases.ts";
import { places } from "../cli/system/state.ts";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";
import { isMutant, mutantNames, type MutantName } from "../simulator/fleet/mutants/catalogue.ts";

/**
 * Bad releases in the rehearsal, each built from changed sources. The long form takes all of the catalogue, and the
 * release that changes nothing in as many seeds as the promise is about; `COALMINE_SEEDS` makes it shorter. Of that release
 * `hosted-fleet.test.ts` has one seed.
 */
const isLong = process.env["COALMINE_LONG"] === "1";
const SEEDS = Number(process.env["COALMINE_SEEDS"] ?? 200);
const GATES = 10;
const SCENARIO_DEVICES = 20;
const LIMIT_MS = isLong ? 4 * 3_600_000 : 300_000;
const DEVICES = isLong ? 8 : 2;
const some: readonly MutantName[] = ["crash-at-start", "wrong-unit"];

const root = dirname(import.meta.dirname);
const at = places(root, { COALMINE_CACHE: cacheFolder(root, process.env) });
const folder = mkdtempSync(join(tmpdir(), "coalmine-mutants-"));
let meeting: Meeting;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const built = await buildRunning(at, folder);
  meeting = {
    at,
    folder,
    built,
    running: await ownRelease(join(folder, "running"), built),
    devices: DEVICES,
    seed: "1",
    policy: "",
    signal: new AbortController().signal,
    told: (name, layer, { by, seconds }) =>
      isLong && console.log(`${name}, ${layer}: ${by ?? "–"}, ${seconds} s`),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const layers: readonly LayerName[] = isLong ? ["hosted", "weighed"] : ["hosted"];
test.each(isLong ? mutantNames : some)(
  "the rehearsal catches %s",
  async (name) => {
    expect(isMutant(name)).toBe(true);
    if (!isMutant(name)) return;
    const met = await meet(meeting, name, layers);
    expect(Object.values(met).some(({ by }) => by !== null)).toBe(true);
  },
  LIMIT_MS,
);

test(
  "a release that cannot be installed is caught where it is weighed too, and ends nothing else",
  async () => {
    const { weighed } = await meet(meeting, "crash-at-start", ["weighed"]);
    expect(weighed?.by).toBe("ERR_NOT_WEIGHED");
    expect(weighed?.found).toContain("FAILED_ROLLBACK_COMPLETE");
  },
  LIMIT_MS,
);

test.runIf(isLong)(
  `no false alarm in ${SEEDS} seeds of ${SCENARIO_DEVICES} devices and ${GATES} runs of the whole gate`,
  async () => {
    const own = join(folder, "long");
    mkdirSync(own);
    const candidate = await buildCandidate(at, own, meeting.built, undefined);
    const releases = ["--candidate", candidate.dist, "--running", meeting.running.dist];
    const unpacked = ["--artifacts", join(folder, "unpacked")];
    const gate = (seed: number, devices: number, ...words: string[]) =>
      rehearsed(root, "main.ts", [
        ...releases,
        ...unpacked,
        "--seed",
        `${seed}`,
        "--devices",
        `${devices}`,
        ...words,
      ]);
    const alarms: string[] = [];
    for (let seed = 1; seed <= GATES; seed++) {
      const { by, found } = await gate(seed, DEVICES);
      if (by !== null) alarms.push(`gate ${seed}: ${by}: ${found}`);
    }
    const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1).values();
    const worker = async (): Promise<void> => {
      for (const seed of seeds) {
        const { by, found } = await gate(seed, SCENARIO_DEVICES, "--gate", "upgrade");
        if (by !== null) alarms.push(`seed ${seed}: ${by}: ${found}`);
      }
    };
    await Promise.all([worker(), worker()]);
    expect(alarms).toEqual([]);
  },
  LIMIT_MS,
);
