import { execFile } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bundleComponent } from "./bundle.ts";
import { BuildManifest } from "./build-manifest.ts";
import { fixtureCheckout } from "./fixture-checkout.ts";
import { nativeFiles, sharedNatives } from "./native-modules.ts";
import { hostPlatform, platforms } from "./platform.ts";

/** A component that needs everything a component may need: IPC, a serial port, a model in a worker, schemas. */
const sources = {
  "config.ts": `import * as z from "zod";
export const Config = z.strictObject({ rate: z.number().default(5) });
`,
  "component.ts": `import { topics } from "@coalmine/contract";
import { PORTS_VERSION, type Ports } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { Config } from "./config.ts";
export const portsVersion = PORTS_VERSION;
export async function start(_ports: Ports) {
  return { topic: topics.measurements, config: Config.parse({}), message: messageOf("x"), stop: async () => {} };
}
`,
  "main.ts": `import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { greengrasscoreipc } from "aws-iot-device-sdk-v2";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { SerialPort } from "serialport";
import { start } from "./component.ts";
if (isMainThread) {
  const running = await start({} as never);
  const port = await new Promise((done) => new SerialPort({ path: "/dev/no-such-port", baudRate: 9600 }, (failure) => done(failure?.message)));
  const worker = new Worker(new URL(import.meta.url), { workerData: process.argv[2] });
  const score = await new Promise((done, fail) => worker.once("message", done).once("error", fail));
  process.stdout.write(JSON.stringify({
    topic: running.topic, config: running.config, port, ipc: typeof greengrasscoreipc.createClient, score,
  }));
  process.exit(0);
} else {
  const session = await InferenceSession.create(workerData);
  const answer = await session.run({ curve: new Tensor("float32", new Float32Array(42).fill(1), [1, 42]) });
  parentPort?.postMessage(Object.fromEntries(Object.entries(answer).map(([name, tensor]) => [name, tensor.dims])));
}
`,
};
const name = "coalmine.test.Fixture";
// Bundling and unpacking forty megabytes takes its time where other tests run beside.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
const host = hostPlatform() ?? "linux-x64";

let here: ReturnType<typeof fixtureCheckout>;
let there: ReturnType<typeof fixtureCheckout>;
/** The artifact, unpacked. */
let files: Record<string, Uint8Array>;
let built: [BuildManifest, BuildManifest];
beforeAll(async () => {
  here = fixtureCheckout(sources, "own");
  there = fixtureCheckout(sources, "own");
  built = [
    await build(here.root, { TZ: "Asia/Kathmandu", LANG: "C" }, "022"),
    await build(there.root, { TZ: "America/St_Johns", LANG: "tr_TR.UTF-8" }, "077"),
  ];
  files = unzipSync(readFileSync(join(here.root, `dist/artifacts/${name}/${host}/fixture.zip`)));
});
afterAll(() => {
  here.dispose();
  there.dispose();
});

/** The build of that checkout itself, as a person or the pipeline runs it. */
async function build(root: string, environment: NodeJS.ProcessEnv, umask: string): Promise<BuildManifest> {
  const { stdout } = await promisify(execFile)(
    "sh",
    [
      "-c",
      `umask ${umask}; cd /; exec "$NODE" "$ROOT/pipeline/build/main.ts" --json --allow-unreleased --only ${name} --only coalmine.model.BloodViscosity --platform ${host}`,
    ],
    { env: { PATH: process.env["PATH"], NODE: process.execPath, ROOT: root, ...environment } },
  );
  return BuildManifest.parse(JSON.parse(stdout));
}

test("two checkouts in different folders, time zones, languages and umasks make the same bytes", () => {
  expect(built[1]).toEqual(built[0]);
  expect(built[0].components.map(({ component, artifacts }) => [component, Object.keys(artifacts)])).toEqual([
    ["coalmine.model.BloodViscosity", ["any"]],
    [name, [host]],
  ]);
  // And say the same of them: what one of them signs, the other makes too.
  const statements = ({ root }: typeof here) =>
    readdirSync(join(root, "dist/statements")).map((file) => [
      file,
      readFileSync(join(root, "dist/statements", file), "utf8"),
    ]);
  expect(statements(here)).toHaveLength(4);
  expect(statements(there)).toEqual(statements(here));
});

test("an artifact holds the bundles and the natives of its own platform", async () => {
  const natives = [
    "aws-crt-nodejs.node",
    "libonnxruntime.so.1",
    "onnxruntime_binding.node",
    "serialport-bindings.node",
  ];
  expect(Object.keys(files)).toEqual(
    [...natives, "NOTICE", "component.mjs", "config.mjs", "main.mjs"].sort(),
  );
  const { inputs } = await bundleComponent(here.root, "components/fixture");
  // ELF: the machine that a library is for stands at byte 18.
  const machines = { "linux-x64": 62, "linux-arm64": 183 };
  for (const platform of platforms) {
    const found = await nativeFiles(here.root, inputs, platform);
    expect(Object.fromEntries(found.map(({ name, bytes }) => [name, bytes[18]]))).toEqual(
      Object.fromEntries(natives.map((native) => [native, machines[platform]])),
    );
  }
  expect(files["libonnxruntime.so.1"]?.[18]).toBe(machines[host]);
});

test("an artifact with a model's runtime and no model has at most 30 MB", () => {
  const artifact = built[0].components.find(({ component }) => component === name)?.artifacts[host];
  expect(artifact?.sizeBytes).toBeGreaterThan(10_000_000);
  expect(artifact?.sizeBytes).toBeLessThanOrEqual(30_000_000);
});

test("no bundle says where it was built", () => {
  for (const bundle of ["component.mjs", "main.mjs", "config.mjs"]) {
    const text = new TextDecoder().decode(files[bundle]);
    expect(text).not.toContain(here.root);
    expect(text).not.toContain(".coalmine");
  }
});

test("an unpacked artifact runs where nothing is installed: IPC client, serial ports, a model in its worker", async () => {
  const folder = mkdtempSync(join(tmpdir(), "artifact-"));
  try {
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, file), bytes);
    mkdirSync(join(folder, "model"));
    const model = unzipSync(
      readFileSync(join(here.root, "dist/artifacts/coalmine.model.BloodViscosity/any/model.zip")),
    );
    for (const [file, bytes] of Object.entries(model)) writeFileSync(join(folder, "model", file), bytes);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(folder, "main.mjs"), join(folder, "model/model.onnx")],
      { cwd: "/", env: {} },
    );
    expect(JSON.parse(stdout)).toEqual({
      topic: "coalmine/measurements",
      config: { rate: 5 },
      port: "Error: No such file or directory, cannot open /dev/no-such-port",
      ipc: "function",
      score: { viscosity: [1, 1], probabilities: [1, 5] },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each([
  { beside: "the same version", name: (own: string) => own, loaded: "lib/", says: /^$/ },
  {
    beside: "another version",
    name: (own: string) => own.replace("nodejs-", "nodejs-9."),
    loaded: "",
    says: /^aws-crt \d+\.\d+\.\d+ is loaded from the component's own artifact.*Cannot find module.*\n$/,
  },
])("where Node has the IPC library of $beside beside it, one of the two is loaded", async (expected) => {
  const folder = mkdtempSync(join(here.root, "device-"));
  try {
    for (const part of ["bin", "lib"]) mkdirSync(join(folder, part));
    copyFileSync(process.execPath, join(folder, "bin/node"));
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, file), bytes);
    for (const { name: own, bytes } of await sharedNatives(here.root, host))
      writeFileSync(join(folder, expected.name(own)), bytes);
    writeFileSync(
      join(folder, "probe.mjs"),
      `import { readFileSync, writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync("maps", readFileSync("/proc/self/maps")));`,
    );
    const model = join(here.root, "models/blood-viscosity/model.onnx");
    const { stderr } = await promisify(execFile)(
      join(folder, "bin/node"),
      ["--import", "./probe.mjs", "main.mjs", model],
      { cwd: folder, env: {} },
    );
    // The model's worker begins in the same file, and says it too.
    expect([...new Set(stderr.split(/(?<=\n)/))].join("")).toMatch(expected.says);
    const loaded = readFileSync(join(folder, "maps"), "utf8").match(/(?:lib\/)?aws-crt-nodejs\S*/g);
    expect(new Set(loaded?.map((path) => path.replace(/aws-crt.*/, "")))).toEqual(new Set([expected.loaded]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the schema in an artifact refuses a configuration by itself", async () => {
  const file = join(here.root, "config.mjs");
  writeFileSync(file, files["config.mjs"] ?? "");
  const script = `import { Config } from ${JSON.stringify(file)};
    process.stdout.write(JSON.stringify([{ rate: 7 }, {}, { rate: "7" }, { speed: 7 }].map((each) => Config.safeParse(each).success)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  expect(JSON.parse(stdout)).toEqual([true, true, false, false]);
});

test("a component that imports Node is refused when it is bundled", async () => {
  const file = join(here.root, "components/fixture/src/component.ts");
  const source = readFileSync(file, "utf8");
  writeFileSync(
    file,
    `import { readFileSync } from "node:fs";\n${source}\nexport const read = readFileSync;\n`,
  );
  await expect(bundleComponent(here.root, "components/fixture")).rejects.toThrow(/node:fs/);
  writeFileSync(file, source);
});

test("a change in a package of ours is in the bundle of the checkout that has it", async () => {
  const file = join(here.root, "packages/contract/src/topics.ts");
  writeFileSync(file, readFileSync(file, "utf8").replace("coalmine/measurements", "coalmine/changed"));
  const bundle = await bundleComponent(here.root, "components/fixture");
  const text = new TextDecoder().decode(bundle.files.find((each) => each.name === "component.mjs")?.bytes);
  expect(text).toContain("coalmine/changed");
});
