import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { componentNames, type Measurement, MeasurementBatch, topics } from "@coalmine/contract";
import { modelWorkers } from "@coalmine/device/model-worker";
import type { ComponentModule, Models } from "@coalmine/ports";
import { CoalmineError, MemoryIpc, messageOf, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";

export class ReplayError extends CoalmineError {
  readonly code = "ERR_REPLAY";
}

/** What a replay found. All of `recorded` = `equal` + `different` + `missing`. */
export interface ReplayFindings {
  readonly modelSha256: string;
  /** Results in the store that this model gave. */
  readonly recorded: number;
  /** Bit for bit, and from the same input range and preprocessing. */
  readonly equal: number;
  readonly different: number;
  /** Results that the stored points do not give again: points of their windows are not among them. */
  readonly missing: number;
  /** Results in the store by other models, which this replay says nothing of. */
  readonly otherModels: number;
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 5;
/** Points in a batch, and batches between two breaths: the component must not be given more than it may keep waiting. */
const POINTS_PER_BATCH = 500;
const BREATH_MS = 5;
const PATIENCE_MS = 600_000;

const ModelManifest = z.looseObject({
  component: z.string(),
  version: z.string().default("0.0.0"),
  sha256: z.string(),
});
type InferenceModule = ComponentModule<"clock" | "ipc" | "model" | "log" | "process">;

/**
 * Gives stored points to the component of an artifact, as a device would, with the model in `modelFolder`, and compares
 * what it says with what is stored.
 */
export async function replay(
  component: InferenceModule,
  modelFolder: string,
  stored: readonly Measurement[],
): Promise<ReplayFindings> {
  const manifest = await manifestIn(modelFolder);
  const inputs = stored.filter(({ derivation }) => derivation === undefined);
  const results = stored.filter(({ derivation }) => derivation !== undefined);
  const recorded = results.filter(({ derivation }) => derivation?.modelSha256 === manifest.sha256);
  if (recorded.length === 0)
    throw new ReplayError(
      `nothing to compare: none of the ${results.length} results among ${stored.length} points are of model ${manifest.sha256}; name the model that gave them by --model, or other points`,
    );
  const told = new Map<string, Measurement>();
  for (const point of await scored(component, modelFolder, inputs)) told.set(nameOf(point), point);
  const examples: string[] = [];
  let equal = 0;
  let missing = 0;
  for (const point of recorded) {
    const again = told.get(nameOf(point));
    if (again === undefined) missing++;
    else if (isSame(point, again)) equal++;
    if (examples.length < EXAMPLES_MAX && (again === undefined || !isSame(point, again)))
      examples.push(`${nameOf(point)}: stored ${point.value}, replayed ${again?.value ?? "nothing"}`);
  }
  return {
    modelSha256: manifest.sha256,
    recorded: recorded.length,
    equal,
    different: recorded.length - equal - missing,
    missing,
    otherModels: results.length - recorded.length,
    examples,
  };
}

/** The results that the component gives for some points, with the model in `modelFolder`. */
export async function scored(
  component: InferenceModule,
  modelFolder: string,
  inputs: readonly Measurement[],
): Promise<Measurement[]> {
  const { component: name, version, sha256 } = await manifestIn(modelFolder);
  const work = await mkdtemp(join(tmpdir(), "coalmine-replay-"));
  const workers = modelWorkers(work, systemClock);
  // Wherever the component looks for the model, it finds the one that is asked for.
  const models: Models = {
    open: (_folder, hash, options) => workers.open(modelFolder, hash, options),
    prove: (_folder, hash, feeds, msMax) => workers.prove(modelFolder, hash, feeds, msMax),
    readText: (_folder, file) => workers.readText(modelFolder, file),
    copyToWork: async () => undefined,
  };
  const ipc = new MemoryIpc({
    model: { component: name, componentVersion: version, sha256 },
    deadlineMs: PATIENCE_MS,
    windowsWaitingMax: 20_000,
  });
  const results: Measurement[] = [];
  await ipc.subscribe(topics.measurements, (_topic, message) => {
    const { batch, points } = MeasurementBatch.parse("json" in message ? message.json : undefined);
    if (points[0]?.derivation === undefined) return;
    results.push(...points);
    void ipc.publish(topics.acknowledgements, { json: { version: 1, durable: [batch], refused: [] } });
  });
  try {
    const running = await component.start({
      clock: systemClock,
      ipc,
      model: models,
      log: silentLog,
      process: {
        componentName: componentNames.inference,
        componentVersion: "0.0.0-replay",
        thingName: "replay",
        region: "local",
        environment: () => undefined,
        memoryBytes: () => 0,
        fail: (reason) => {
          throw new Error(reason);
        },
      },
    });
    for (let at = 0, batch = 0; at < inputs.length; batch++) {
      const points = sameStart(inputs, at);
      await ipc.publish(topics.measurements, { json: { version: 1, batch: `replay:${batch}`, points } });
      await systemClock.sleep(BREATH_MS);
      at += points.length;
    }
    await running.stop(AbortSignal.timeout(PATIENCE_MS));
    return results;
  } finally {
    await workers.close();
    await rm(work, { recursive: true, force: true });
  }
}

async function manifestIn(folder: string): Promise<z.infer<typeof ModelManifest>> {
  try {
    return ModelManifest.parse(JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")));
  } catch (cause) {
    throw new ReplayError(
      `${folder} holds no model that can be replayed: ${messageOf(cause)}. Name a folder with a model and its manifest.json, as --model models/blood-viscosity.`,
      { cause },
    );
  }
}

/** A batch's points are of one instrument and boot. */
function sameStart(points: readonly Measurement[], at: number): readonly Measurement[] {
  const first = points[at];
  const batch = points.slice(at, at + POINTS_PER_BATCH);
  const end = batch.findIndex(
    ({ instrument, boot }) => instrument !== first?.instrument || boot !== first.boot,
  );
  return end === -1 ? batch : batch.slice(0, end);
}

function nameOf({ instrument, boot, sequence, channel }: Measurement): string {
  return `${instrument}/${boot}/${sequence}/${channel}`;
}

function isSame(a: Measurement, b: Measurement): boolean {
  return (
    Object.is(a.value, b.value) &&
    a.derivation?.inputFrom === b.derivation?.inputFrom &&
    a.derivation?.inputTo === b.derivation?.inputTo &&
    a.derivation?.preprocessingVersion === b.derivation?.preprocessingVersion
  );
}
