import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { modelWorkers, type ModelWorkers } from "./model-worker.ts";
import { addModel, endlessModel, failingModel, matrixModel } from "./onnx.fixture.ts";

let work: string;
let artifact: string;
let models: ModelWorkers;
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "models-"));
  artifact = join(work, "..", `${work.split("/").at(-1)}-artifact`);
  await mkdir(artifact);
  models = modelWorkers(work, systemClock);
});
afterEach(async () => {
  await models.close();
  await rm(work, { recursive: true });
  await rm(artifact, { recursive: true });
});

async function put(bytes: Uint8Array, folder = artifact): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.onnx"), bytes);
  await writeFile(join(folder, "manifest.json"), '{"name":"test"}');
  return hashOf(bytes);
}
const floats = (...values: number[]) =>
  ({ type: "float32", data: Float32Array.from(values), shape: [values.length] }) as const;

test("a model computes what its graph says", async () => {
  const model = await models.open(artifact, await put(addModel()));
  expect(model.inputNames).toEqual(["x"]);
  expect(model.outputNames).toEqual(["y"]);
  const { y } = await model.run({ x: floats(1, 2.5, -3) });
  expect(y).toEqual({ type: "float32", data: Float32Array.of(2, 5, -6), shape: [3] });
  await model.close();
  await expect(model.run({ x: floats(1) })).rejects.toMatchObject({
    name: "ModelError",
    code: "MODEL_WORKER_LOST",
  });
});

test("several models are open at once, and runs asked for together are all answered", async () => {
  const sha256 = await put(addModel());
  const [one, two] = await Promise.all([models.open(artifact, sha256), models.open(artifact, sha256)]);
  const runs = await Promise.all(
    Array.from({ length: 40 }, (_, index) => (index % 2 ? one : two).run({ x: floats(index) })),
  );
  expect(runs.map(({ y }) => y?.data[0])).toEqual(Array.from({ length: 40 }, (_, index) => 2 * index));
});

test("each refusal has its code and says what to do", async () => {
  const sha256 = await put(addModel());
  await expect(models.open(join(artifact, "none"), sha256)).rejects.toMatchObject({ code: "NO_MODEL" });
  await expect(models.open(artifact, "0".repeat(64))).rejects.toMatchObject({
    code: "MODEL_HASH_MISMATCH",
    message: expect.stringContaining("deploy"),
  });
  const damaged = await put(Uint8Array.of(1, 2, 3));
  await expect(models.open(artifact, damaged)).rejects.toMatchObject({ code: "MODEL_UNREADABLE" });
  const model = await models.open(artifact, await put(addModel()));
  await expect(model.run({ wrong: floats(1) })).rejects.toMatchObject({ code: "MODEL_RUN_FAILED" });
  await expect(models.open("../up", sha256)).rejects.toMatchObject({ code: "NO_MODEL" });
});

test("the component's loop goes on while a model runs", async () => {
  const size = 1024;
  const model = await models.open(artifact, await put(matrixModel(size)));
  const x = { type: "float32", data: new Float32Array(size * size).fill(1), shape: [size, size] } as const;
  await model.run({ x });
  let longestGapMs = 0;
  let last = performance.now();
  const ticks = setInterval(() => {
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - last);
    last = now;
  }, 1);
  const started = performance.now();
  let runs = 0;
  while (performance.now() - started < 600) {
    await model.run({ x });
    runs++;
  }
  clearInterval(ticks);
  const runMs = (performance.now() - started) / runs;
  // A run in this thread would hold the timer for all of its length; copying its tensors takes a small part of that.
  expect(runMs).toBeGreaterThan(10);
  expect(longestGapMs).toBeLessThan(runMs + 40);
  expect(runs).toBeGreaterThan(1);
}, 20_000);

test("the last good model is copied whole, replaced whole, and survives a replacement that was cut off", async () => {
  const first = await put(addModel());
  await models.copyToWork(artifact, "good/model");
  const second = hashOf(matrixModel(2));
  await put(matrixModel(2));
  await models.copyToWork(artifact, "good/model");
  await rm(join(artifact, "model.onnx"));
  expect((await models.open("good/model", second)).inputNames).toEqual(["x"]);
  await expect(models.open("good/model", first)).rejects.toMatchObject({ code: "MODEL_HASH_MISMATCH" });
  expect(await models.readText("good/model", "manifest.json")).toBe('{"name":"test"}');
  expect(await readdir(join(work, "good"))).toEqual(["model"]);
  // The power went between the two renames.
  await rename(join(work, "good/model"), join(work, "good/model.old"));
  await models.open("good/model", second);
});

test("a worker that was closed is made anew with the next model", async () => {
  const sha256 = await put(addModel());
  const before = await models.open(artifact, sha256);
  await models.close();
  await expect(before.run({ x: floats(1) })).rejects.toMatchObject({ code: "MODEL_WORKER_LOST" });
  const after = await models.open(artifact, sha256);
  expect((await after.run({ x: floats(4) }))["y"]?.data[0]).toBe(8);
});

test("runs of changing shapes, too large for the ring and back, all give their own answer", async () => {
  const model = await models.open(artifact, await put(addModel()));
  const lengths = [1, 64, 3, 64, 100_000, 2, 64, 1];
  const answers = await Promise.all(
    lengths.map((length, index) => model.run({ x: floats(...Array.from({ length }, () => index + 1)) })),
  );
  for (const [index, { y }] of answers.entries()) {
    expect(y?.shape).toEqual([lengths[index]]);
    expect(new Set(Array.from(y?.data ?? [], Number))).toEqual(new Set([2 * (index + 1)]));
  }
});

test("a worker that dies says so of every run that waited, and harms no other model", async () => {
  const sha256 = await put(addModel());
  const one = await models.open(artifact, sha256);
  const two = await models.open(artifact, sha256);
  const size = 700;
  const slow = await models.open(
    join(artifact, "slow"),
    await put(matrixModel(size), join(artifact, "slow")),
  );
  const x = { type: "float32", data: new Float32Array(size * size), shape: [size, size] } as const;
  const runs = Promise.allSettled([slow.run({ x }), slow.run({ x }), slow.run({ x })]);
  const [first] = models.homes;
  await Promise.all([[...models.homes].at(-1)?.crash(), first?.crash()]);
  await expect(one.run({ x: floats(1) })).rejects.toMatchObject({ code: "MODEL_WORKER_LOST" });
  expect((await runs).at(-1)).toMatchObject({ status: "rejected", reason: { code: "MODEL_WORKER_LOST" } });
  expect((await two.run({ x: floats(3) }))["y"]?.data[0]).toBe(6);
});

test("a trial gives the answers of a good model, and refuses one that fails or never answers", async () => {
  const good = await put(addModel());
  const [answer] = await models.prove(artifact, good, [{ x: floats(1, 2) }], 60_000);
  expect(answer?.["y"]).toEqual({ type: "float32", data: Float32Array.of(2, 4), shape: [2] });
  const failing = await put(failingModel());
  const x = { type: "int64", data: BigInt64Array.of(1n), shape: [1] } as const;
  await expect(models.prove(artifact, failing, [{ x }], 60_000)).rejects.toMatchObject({
    code: "MODEL_RUN_FAILED",
    message: expect.stringContaining("division by zero"),
  });
  const endless = await put(endlessModel(1));
  const row = { type: "float32", data: Float32Array.of(1), shape: [1, 1] } as const;
  const hanging = models.prove(artifact, endless, [{ x: row }], 1500);
  await Promise.all([
    expect(hanging).rejects.toMatchObject({
      code: "MODEL_HANGS",
      message: expect.stringContaining("no answer within 1500 ms"),
    }),
    vi.waitFor(() => expect(childrenNiceness()).toContain(Math.max(getPriority(), 10)), 1500),
  ]);
});

test("a run that never returns is given up after its time; the process still ends", async () => {
  const file = new URL("./endless.fixture.ts", import.meta.url);
  await put(endlessModel(1));
  const { stdout, signal } = await ended(file, artifact);
  expect(stdout).toBe("MODEL_HANGS the model gave no answer within 300 ms; open the model again\n");
  expect(signal).toBe("SIGKILL");
});

/** Of each process that this one started. */
function childrenNiceness(): number[] {
  return readdirSync("/proc").flatMap((name) => {
    const file = `/proc/${name}/stat`;
    if (!/^\d+$/.test(name) || !existsSync(file)) return [];
    const [, parent = "", nice = ""] = /\) \S (\d+)(?: \S+){14} (\S+)/.exec(readFileSync(file, "utf8")) ?? [];
    return Number(parent) === process.pid ? [Number(nice)] : [];
  });
}

function ended(file: URL, ...args: string[]): Promise<{ stdout: string; signal: string | null }> {
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  return new Promise((resolve) => child.on("close", (_code, signal) => resolve({ stdout, signal })));
}
