import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Measurement, MeasurementBatch, InstrumentId, topics } from "@coalmine/contract";
import type { Model, Models } from "@coalmine/ports";
import { DrivenClock, MemoryIpc, silentLog } from "@coalmine/runtime";
import { run } from "@coalmine/device/model-thread";
import { InferenceSession } from "onnxruntime-node";
import { expect, test } from "vitest";
import { start } from "./component.ts";

const folder = new URL("../../../models/blood-viscosity/", import.meta.url);
const bytes = readFileSync(new URL("model.onnx", folder));
const manifest = JSON.parse(readFileSync(new URL("manifest.json", folder), "utf8"));
/** As in an artifact, which never holds its own version. */
const unversioned = { ...manifest, version: undefined };
const reference = { component: manifest.component, componentVersion: "1.0.0", sha256: manifest.sha256 };

test("scores a curve that came in pieces, twice and out of order, exactly once", async () => {
  const device = await running();
  const points = curve(100);
  await device.send("a", points.slice(40));
  await device.send("b", points.slice(0, 40));
  await device.send("a", points.slice(40));
  await device.send("b", points.slice(0, 40));
  await device.settle();
  expect(device.results().map((point) => point.channel)).toEqual([
    "blood-viscosity",
    "abnormality",
    "abnormality-probability",
  ]);
  const viscosity = device.results()[0];
  expect(viscosity?.value).toBeGreaterThan(4.4);
  expect(viscosity?.value).toBeLessThan(5);
  expect(viscosity?.sequence).toBe(119);
  expect(viscosity?.derivation).toMatchObject({
    modelSha256: manifest.sha256,
    modelVersion: "1.0.0",
    inputFrom: 100,
    inputTo: 119,
  });
  await device.stop();
});

test("publishes a result again until it is acknowledged, then no more", async () => {
  const device = await running();
  await device.send("a", curve(0));
  await device.settle();
  await device.clock.runUntil(device.clock.now() + 100_000);
  const sent = device.batches.filter(({ batch }) => batch.startsWith("Inference:"));
  expect(sent.length).toBeGreaterThan(1);
  expect(new Set(sent.map(({ batch }) => batch)).size).toBe(1);
  await device.ipc.publish(topics.acknowledgements, {
    json: { version: 1, durable: [sent[0]?.batch], refused: [] },
  });
  const before = device.batches.length;
  await device.clock.runUntil(device.clock.now() + 3_600_000);
  expect(device.batches).toHaveLength(before);
  await device.stop();
});

test("marks the results of a clogged curve as bad", async () => {
  const device = await running();
  await device.send("a", curve(0, { level: "bad", cause: "clogged" }));
  await device.settle();
  expect(device.results()[0]?.quality).toEqual({ level: "bad", cause: "clogged" });
  await device.stop();
});

test("does not start with a model whose bytes are not what the configuration names", async () => {
  await expect(running({ sha256: "0".repeat(64) })).rejects.toThrow(
    /its manifest says sha256 .* the configuration 0000.*Check that/s,
  );
});

test("serves on with the last good model when a swap names one that fails its test vectors", async () => {
  const device = await running();
  const bad = Buffer.from(bytes);
  const wrong = structuredClone(manifest);
  wrong.testVectors.vectors[0].viscosity *= 1.5;
  device.artifacts.set(`/root/packages/artifacts-unarchived/${reference.component}/2.0.0/model`, {
    bytes: bad,
    manifest: { ...wrong, sha256: sha(bad) },
  });
  // Same bytes have the same hash and would be no swap: one byte of the producer's name makes them another file.
  const at = bad.indexOf("coalmine");
  bad[at] = "C".charCodeAt(0);
  device.artifacts.set(`/root/packages/artifacts-unarchived/${reference.component}/2.0.0/model`, {
    bytes: bad,
    manifest: { ...wrong, sha256: sha(bad) },
  });
  const next = { model: { ...reference, componentVersion: "2.0.0", sha256: sha(bad) } };
  expect(await device.ipc.validate(next)).toEqual([
    {
      status: "REJECTED",
      message: expect.stringMatching(/test vector 0 gives viscosity .* its manifest says/),
    },
  ]);
  await device.ipc.updateConfiguration([], next);
  await device.settle();
  await device.send("a", curve(0));
  await device.settle();
  expect(device.results()[0]?.derivation?.modelSha256).toBe(manifest.sha256);
  await device.stop();
});

test("swaps to a good model between two windows, without a restart", async () => {
  const device = await running();
  const other = Buffer.from(bytes);
  other[other.indexOf("coalmine")] = "C".charCodeAt(0);
  device.artifacts.set(`/root/packages/artifacts-unarchived/${reference.component}/1.0.1/model`, {
    bytes: other,
    manifest: { ...manifest, sha256: sha(other) },
  });
  await device.send("a", curve(0));
  const next = { model: { ...reference, componentVersion: "1.0.1", sha256: sha(other) } };
  expect(await device.ipc.validate(next)).toEqual([{ status: "ACCEPTED" }]);
  await device.ipc.updateConfiguration([], next);
  await device.settle();
  await device.send("b", curve(20));
  await device.settle();
  const viscosities = device.results().filter((point) => point.channel === "blood-viscosity");
  expect(viscosities.map((point) => [point.derivation?.inputFrom, point.derivation?.modelSha256])).toEqual([
    [0, manifest.sha256],
    [20, sha(other)],
  ]);
  await device.stop();
});

test("a shadow sees the same windows; what it says is on a topic of its own, and counted against what serves", async () => {
  const device = await running();
  const shadows: MeasurementBatch[] = [];
  await device.ipc.subscribe(topics.shadowResults, (_topic, message) => {
    shadows.push(MeasurementBatch.parse("json" in message ? message.json : undefined));
  });
  const reports: unknown[] = [];
  await device.ipc.subscribe(topics.modelReport, (_topic, message) => {
    reports.push("json" in message ? message.json : undefined);
  });
  const other = Buffer.from(bytes);
  other[other.indexOf("coalmine")] = "C".charCodeAt(0);
  device.artifacts.set(`/root/packages/artifacts-unarchived/${reference.component}/1.0.1/model`, {
    bytes: other,
    manifest: { ...manifest, version: "1.0.1", sha256: sha(other) },
  });
  const shadow = { ...reference, componentVersion: "1.0.1", sha256: sha(other) };
  expect(await device.ipc.validate({ ...device.ipc.configuration, shadow })).toEqual([
    { status: "ACCEPTED" },
  ]);
  await device.ipc.updateConfiguration([], { shadow });
  await device.settle();
  await device.send("a", curve(0));
  await device.send("b", curve(20));
  await device.settle();
  expect(device.results().map(({ derivation }) => derivation?.modelSha256)).toEqual(
    Array.from({ length: 6 }, () => manifest.sha256),
  );
  const told = shadows.flatMap(({ points }) => points);
  expect(told.map(({ channel }) => channel)).toEqual([
    "shadow-blood-viscosity",
    "shadow-abnormality",
    "shadow-abnormality-probability",
    "shadow-blood-viscosity",
    "shadow-abnormality",
    "shadow-abnormality-probability",
  ]);
  expect(told.every(({ derivation }) => derivation?.modelSha256 === sha(other))).toBe(true);
  await device.clock.runUntil(device.clock.now() + 60_000);
  expect(reports.at(-1)).toMatchObject({
    serving: { sha256: manifest.sha256 },
    shadow: { sha256: sha(other), windows: 2, agreed: 2, kappa: 1, differenceMax: 0, failed: 0, skipped: 0 },
  });
  await device.ipc.updateConfiguration([], { shadow: null });
  await device.settle();
  await device.send("c", curve(40));
  await device.settle();
  expect(shadows).toHaveLength(2);
  await device.stop();
});

test("a configuration is refused with its key, value and what is allowed", async () => {
  const device = await running();
  const told = await device.ipc.validate({ model: reference, batchWindowsMax: 65, deadlineMs: 1 });
  expect(told).toEqual([
    {
      status: "REJECTED",
      message: expect.stringMatching(/"batchWindowsMax" is 65: .*<=64; "deadlineMs" is 1: .*>=10/),
    },
  ]);
  await device.stop();
});

function sha(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function curve(from: number, quality: Measurement["quality"] = { level: "good" }): Measurement[] {
  return Array.from({ length: 20 }, (_, index) => {
    const rate = 2 * 250 ** (index / 19);
    const values = {
      "shear-rate": [rate, "/s"],
      "apparent-viscosity": [3.45 + 52.55 * (1 + (3.313 * rate) ** 2) ** -0.3216, "mPa.s"],
      temperature: [37, "Cel"],
      haematocrit: [45, "%"],
      "curve-point": [index, "1"],
    } as const;
    return Object.entries(values).map(([channel, [value, unit]]) => ({
      instrument: InstrumentId.parse("rheometer-1"),
      boot: 3,
      sequence: from + index,
      channel,
      sampleTimeMs: 1_000 + index,
      sampleTimeUncertaintyMs: 1,
      value,
      unit,
      quality,
      calibrationId: "cal-1",
    }));
  }).flat();
}

async function running(model: { sha256?: string } = {}) {
  const clock = new DrivenClock(1_000_000, () => new Promise((done) => setImmediate(done)));
  const ipc = new MemoryIpc({ model: { ...reference, ...model } });
  const artifacts = new Map([
    [
      `/root/packages/artifacts-unarchived/${reference.component}/1.0.0/model`,
      { bytes, manifest: unversioned },
    ],
  ]);
  const batches: MeasurementBatch[] = [];
  await ipc.subscribe(topics.measurements, (_topic, message) => {
    batches.push(MeasurementBatch.parse("json" in message ? message.json : undefined));
  });
  const component = await start({
    clock,
    ipc,
    log: silentLog,
    model: models(artifacts, clock),
    process: {
      componentName: "coalmine.Inference",
      componentVersion: "1.0.0",
      thingName: "thing",
      region: "us-east-1",
      environment: (name) => (name === "COALMINE_GREENGRASS_ROOT" ? "/root" : undefined),
      memoryBytes: () => 0,
      fail: () => undefined,
    },
  });
  let run = 0;
  return {
    clock,
    ipc,
    artifacts,
    batches,
    results: () => {
      const seen = new Map(
        batches.filter(({ batch }) => batch.startsWith("Inference:")).map((batch) => [batch.batch, batch]),
      );
      return [...seen.values()].flatMap(({ points }) => points);
    },
    send: (name: string, points: Measurement[]) =>
      ipc.publish(topics.measurements, { json: { version: 1, batch: `${name}${run++}`, points } }),
    settle: () => clock.runUntil(clock.now() + 10),
    stop: () => component.stop(new AbortController().signal),
  };
}

/** Real models on the test's own thread; the driven clock waits for them. */
function models(artifacts: Map<string, { bytes: Buffer; manifest: unknown }>, clock: DrivenClock): Models {
  const at = (path: string) => {
    const found = artifacts.get(path);
    if (found === undefined) throw new Error(`no model in ${path}`);
    return found;
  };
  const session = async (path: string, sha256: string): Promise<InferenceSession> => {
    const content = at(path).bytes;
    if (sha(content) !== sha256) throw new Error("MODEL_HASH_MISMATCH");
    return InferenceSession.create(content, { intraOpNumThreads: 1 });
  };
  const waited = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    const done = clock.busy();
    return work().finally(done);
  };
  return {
    readText: async (path) => JSON.stringify(at(path).manifest),
    copyToWork: async (from, to) => void artifacts.set(to, at(from)),
    prove: (path, sha256, feeds) =>
      waited(async () => {
        const opened = await session(path, sha256);
        const outputs = [];
        for (const each of feeds) outputs.push(await run(opened, each));
        return outputs;
      }),
    open: async (path, sha256): Promise<Model> => {
      const opened = await waited(() => session(path, sha256));
      return {
        inputNames: opened.inputNames,
        outputNames: opened.outputNames,
        run: (feeds) => waited(() => run(opened, feeds)),
        close: () => opened.release(),
      };
    },
  };
}
