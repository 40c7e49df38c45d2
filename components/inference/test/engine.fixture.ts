import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InstrumentId, type Measurement, topics } from "@coalmine/contract";
import { modelWorkers } from "@coalmine/device/model-worker";
import type { Log } from "@coalmine/ports";
import { HealthReport, MemoryIpc, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { Config } from "../src/config.ts";
import { inferenceHealth } from "../src/health.ts";
import { Inference } from "../src/inference.ts";
import { Manifest } from "../src/manifest.ts";
import type { Window } from "../src/window.ts";

const source = new URL("../../../models/blood-viscosity/", import.meta.url);
export const modelBytes = new Uint8Array(await readFile(new URL("model.onnx", source)));
const manifestText = await readFile(new URL("manifest.json", source), "utf8");
export const manifest = Manifest.parse(JSON.parse(manifestText));

/** A model's folder: its bytes, and what its manifest says otherwise than the original's. */
export interface Artifact {
  readonly bytes: Uint8Array;
  readonly change?: object;
}

/** The component's own path, from a window that is ready to its result, with real workers and without IPC. */
export async function engine(
  settings: Partial<Config> = {},
  log: Log = silentLog,
  ending: { readonly fail: (reason: string) => void; readonly runMsMax?: number } = { fail: thrown },
) {
  const folder = await mkdtemp(join(tmpdir(), "inference-bench-"));
  const workers = modelWorkers(join(folder, "work"), systemClock);
  const models: typeof workers = {
    ...workers,
    open: (at, sha256, options) =>
      workers.open(at, sha256, { ...options, runMsMax: ending.runMsMax ?? options?.runMsMax ?? 20_000 }),
  };
  const ipc = new MemoryIpc();
  const health = new HealthReport(inferenceHealth, {
    clock: systemClock,
    ipc,
    process: own(folder, ending.fail),
  });
  let onResult: (points: readonly Measurement[]) => void = () => undefined;
  const outbox = {
    size: 0,
    offer: (_batch: string, points: readonly Measurement[]) => {
      onResult(points);
      return true;
    },
  };
  const place = async (version: string, { bytes, change }: Artifact = { bytes: modelBytes }) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const at = join(folder, "packages/artifacts-unarchived", manifest.component, version, "model");
    const text = JSON.stringify({ ...JSON.parse(manifestText), version, sha256, ...change });
    await mkdir(at, { recursive: true });
    await writeFile(join(at, "model.onnx"), bytes);
    await writeFile(join(at, "manifest.json"), text);
    return Config.shape.model.parse({ component: manifest.component, componentVersion: version, sha256 });
  };
  let config = Config.parse({ model: await place("1.0.0"), windowsWaitingMax: 20_000, ...settings });
  const ports = { clock: systemClock, ipc, model: models, log, process: own(folder, ending.fail) };
  const inference = new Inference(ports, health, outbox, () => config);
  await inference.start(config);
  return {
    inference,
    models,
    health,
    ipc,
    place,
    configure: (change: Partial<Config>): void => {
      config = { ...config, ...change };
      inference.configure(config);
    },
    results: (receive: typeof onResult): void => void (onResult = receive),
    shadowResults: (receive: () => void) => ipc.subscribe(topics.shadowResults, receive),
    close: async () => {
      await inference.finish(AbortSignal.timeout(10_000));
      await inference.close();
      await models.close();
      await rm(folder, { recursive: true });
    },
  };
}

const inputs = manifest.testVectors.vectors.map(({ input }) => Float32Array.from(input));
const instrument = InstrumentId.parse("rheometer-1");

/** Windows that the model knows: its own test vectors, in turn. */
export function windowOf(sequence: number): Window {
  return {
    instrument,
    boot: 1,
    from: sequence * 20,
    to: sequence * 20 + 19,
    sampleTimeMs: sequence,
    sampleTimeUncertaintyMs: 1,
    calibrationId: "cal-1",
    quality: { level: "good" },
    input: inputs[sequence % inputs.length] ?? new Float32Array(manifest.input.width),
  };
}

function thrown(reason: string): never {
  throw new Error(reason);
}

function own(root: string, fail: (reason: string) => void) {
  return {
    componentName: "coalmine.Inference",
    componentVersion: "1.0.0",
    thingName: "bench",
    region: "us-east-1",
    environment: (name: string) => (name === "COALMINE_GREENGRASS_ROOT" ? root : undefined),
    memoryBytes: () => 0,
    fail,
  };
}
