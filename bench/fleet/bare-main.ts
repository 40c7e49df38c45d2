import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { componentNames, isProgram } from "@coalmine/contract";
import { modelConfiguration } from "@coalmine/contract/model-choice";
import type { ComponentModule, Ports } from "@coalmine/ports";
import { parseRecipe } from "@coalmine/recipe";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { ArtifactCache } from "../../simulator/core-device/hosted/artifact-cache.ts";
import { CountingLedger } from "../../simulator/fleet/driven/ledger.ts";
import { drainPromises } from "../../simulator/fleet/driven/drain.ts";
import { referenceLoad } from "../../simulator/fleet/driven/reference-load.ts";
import { Bench } from "../../simulator/fleet/hosted/bench.ts";
import { Life } from "../../simulator/fleet/hosted/life.ts";
import { modelsInThread } from "../../simulator/fleet/hosted/models-in-thread.ts";
import { SharedModels } from "../../simulator/fleet/hosted/shared-models.ts";
import { modelOf, readRelease } from "../../simulator/fleet/release/release-folder.ts";
import { SETTLES_MS } from "../../simulator/fleet/scenario/scenario.ts";
import { recordedFibrinogen } from "../../simulator/instruments/recordings.ts";
import { BarePorts, type Left } from "./bare-ports.ts";
import { LeastCloud } from "./least-cloud.ts";

/**
 * A process that runs nothing but the bundles of some devices, at the reference load: the least that a fleet can take. With
 * `isRead` what leaves them is read too, as whoever says that nothing is lost has to.
 */
const { dist, artifactFolder, devices, hours, isRead } = z
  .object({
    dist: z.string(),
    artifactFolder: z.string(),
    devices: z.number(),
    hours: z.number(),
    isRead: z.boolean(),
  })
  .parse(JSON.parse(process.argv[2] ?? ""));
const HOUR_MS = 3_600_000;
/** To begin, before it is measured. */
const WARM_HOURS = 1;

const clock = new DrivenClock(Date.UTC(2026, 0, 5), drainPromises());
const random = new SeededRandom("bare");
const release = readRelease(dist);
const artifacts = new ArtifactCache(artifactFolder);
const unpacked = (name: string): string => {
  const [artifact] = release.components.find(({ component }) => component === name)?.artifacts ?? [];
  if (artifact === undefined) throw new Error(`${dist} has no ${name}; build first`);
  return artifacts.unzipped(artifacts.add(artifact.bytes()));
};
const model = modelOf(release);
const models = new SharedModels(modelsInThread(artifactFolder), clock, systemClock);
const fibrinogen = recordedFibrinogen();
const left: Left = { heartbeats: 0, lines: 0, objects: 0 };
const cloud = isRead ? new LeastCloud() : undefined;
const ledgers: CountingLedger[] = [];
const benches: Bench[] = [];
const load = referenceLoad(clock);

const programs = await Promise.all(
  release.components
    .filter(({ component }) => isProgram(component))
    .map(async ({ component, version, recipe }) => {
      const loaded: ComponentModule = await import(
        pathToFileURL(join(unpacked(component), "component.mjs")).href
      );
      const { configuration } = parseRecipe(recipe, component);
      const own =
        component === componentNames.inference && model !== undefined
          ? { ...configuration, model: modelConfiguration(model, version) }
          : configuration;
      return { component, version, configuration: own, loaded };
    }),
);

for (let index = 0; index < devices; index++) {
  const thingName = `bare-${index}`;
  const own = random.fork(thingName);
  const bench = new Bench({
    thingName,
    clock,
    random: own.fork("bench"),
    ledgerOf: () => {
      const ledger = new CountingLedger();
      ledgers.push(ledger);
      return ledger;
    },
    fibrinogen,
    load,
    instruments: ["rheometer"],
  });
  const ports = new BarePorts({
    thingName,
    clock,
    random: own,
    links: bench.links,
    models: models.of(own.fork("models"), () => unpacked(componentNames.bloodViscosityModel)),
    left,
    cloud,
  });
  bench.start();
  benches.push(bench);
  for (const { component, version, configuration, loaded } of programs) {
    const given: Ports = ports.of(component, version, configuration);
    void loaded.start(given);
    const write = (line: string): void => ports.write(component, line);
    load.started?.({ thingName, component, random: own.fork(`${component}/load`), life: new Life(), write });
  }
}
await clock.runUntil(clock.now() + WARM_HOURS * HOUR_MS);
const readings = (): number =>
  ledgers.flatMap((ledger) => ledger.boots()).reduce((sum, boot) => sum + boot.readings, 0);
const pointsOf = (): number => cloud?.points ?? 0;
const before = { ...left, readings: readings(), points: pointsOf(), cpu: process.cpuUsage() };
await clock.runUntil(clock.now() + hours * HOUR_MS);
const each = (count: number): number => count / devices / hours;
const done = {
  readings: each(readings() - before.readings),
  heartbeats: each(left.heartbeats - before.heartbeats),
  lines: each(left.lines - before.lines),
  objects: each(left.objects - before.objects),
  ...(isRead ? { points: each(pointsOf() - before.points) } : {}),
};
// As in a fleet: what is under way has to arrive, and the time for that belongs to the day.
for (const bench of benches) bench.rest();
await clock.runUntil(clock.now() + SETTLES_MS);
const { user, system } = process.cpuUsage(before.cpu);
process.stdout.write(`${JSON.stringify({ ...done, ms: each((user + system) / 1000) })}\n`);
process.exit(0);
