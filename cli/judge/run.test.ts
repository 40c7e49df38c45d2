import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Bundle } from "../../pipeline/judge/bundle.ts";
import { faultsOfDraw } from "../../pipeline/judge/verify.ts";
import { type Ran, runCommand } from "../command.fixture.ts";
import { places } from "../system/state.ts";
import { addJudgeCommands } from "./commands.ts";

const documented = new URL("../../docs/judge-bundle.example.json", import.meta.url).pathname;
const text = readFileSync(documented, "utf8");
const example = Bundle.parse(JSON.parse(text));
const [first, second] = example.looks;
const folder = mkdtempSync(join(tmpdir(), "judge-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const judge = (...words: string[]): Promise<Ran> =>
  runCommand((program) => addJudgeCommands(program, places(folder, {})), "judge", ...words);

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

/** The example with other values at some places, as a file; undefined removes what is there. */
function changed(changes: Readonly<Record<string, unknown>>): string {
  const bundle: unknown = JSON.parse(text);
  for (const [place, value] of Object.entries(changes)) {
    const keys = place.split(".");
    const last = keys.pop() ?? "";
    const inner = keys.reduce<unknown>((at, key) => Reflect.get(Object(at), key), bundle);
    if (value === undefined) Reflect.deleteProperty(Object(inner), last);
    else Reflect.set(Object(inner), last, value);
  }
  return write("bundle.json", bundle);
}

test("the documented example is halted, in words and as one line of JSON", async () => {
  const told = await judge("run", documented);
  expect(told.code).toBe(3);
  expect(told.out).toMatch(
    /^HALT after 20 min, 4 canary and 8 baseline devices\nfailed windows is 2\.37× the baseline/,
  );
  expect(told.out).toMatch(
    /failed windows: 0\.131 beside 0\.04018; 2\.37× .*; not shown to be within its margin of 2/,
  );
  const json = await judge("run", documented, "--json");
  expect(json.code).toBe(3);
  expect(JSON.parse(json.out)).toMatchObject({
    verdict: { verdict: "HALT", look: 1, smallestP: 0.00202 },
    bundle: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  expect((await judge("run", documented, "--json")).out).toBe(json.out);
});

test("the exit code tells a script which verdict it is", async () => {
  const early = changed({ looks: [first] });
  expect(await judge("run", early)).toMatchObject({
    code: 5,
    out: expect.stringMatching(/^WAIT after 10 min/),
  });
  const [heartbeats] = example.metrics;
  const soaked = { "policy.soakMs": 600_000, "policy.horizonMs": 1_200_000 };
  expect(await judge("run", changed({ ...soaked, metrics: [heartbeats] }))).toMatchObject({
    code: 4,
    out: expect.stringMatching(/^INCONCLUSIVE after 20 min.*\n.*too few events/),
  });
  // So much silence would have shown by now.
  expect(
    await judge("run", changed({ ...soaked, metrics: [{ ...heartbeats, negligible: 0.5 }] })),
  ).toMatchObject({ code: 0, out: expect.stringMatching(/^PROMOTE after 20 min/) });
});

test("a bundle is judged by another policy: its own kind of file, or the pipeline's with a target of that name", async () => {
  const { metrics, policy } = example;
  const by = (content: unknown) => judge("run", documented, "--policy", write("policy", content));
  expect(await by({ metrics: metrics.map((one) => ({ ...one, minEffect: 5 })), policy })).toMatchObject({
    code: 5,
  });
  expect(
    await by(readFileSync(new URL("../../pipeline/policy.yaml", import.meta.url), "utf8")),
  ).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /has nothing of "results per heartbeat", which the policy compares; it has heartbeats, /,
    ),
  });
  expect(await by("metrics: []\npolicy: { judgedBy: guess }")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/policy\.judgedBy is "guess", and must be "comparison" or "limits"/),
  });
  expect(await by("a: [")).toMatchObject({ code: 2, err: expect.stringContaining("neither YAML nor JSON") });
  expect(await by({ metrics: [{ ...metrics[2], kind: "mean" }], policy })).toMatchObject({
    code: 2,
    err: expect.stringMatching(/"failed windows" is a ratio in .* and a mean in the policy/),
  });
});

const devices = example.devices.map(({ thing }) => thing);
const { canary } = example.draw;
test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
  [
    "a word that means nothing",
    { "metrics.0.direction": "upwards" },
    /metrics\[0\]\.direction is "upwards", and must be "up", "down" or "either"/,
  ],
  ["a missing field", { "policy.soakMs": undefined }, /policy\.soakMs is missing: it must be a number/],
  [
    "a field that does not exist",
    { "metrics.1.negligable": 1 },
    /metrics\[1\] has "negligable", which means nothing here/,
  ],
  ["a number out of range", { "policy.draws": 3 }, /policy\.draws is 3, and must be at least 99/],
  [
    "a pair that is none",
    { "looks.0.values.failed windows.3": [1] },
    /looks\[0\]\.values\["failed windows"\]\[3\] is \[1\], and must be at least 2 entries long/,
  ],
  ["another draw", { "draw.how": "guess" }, /draw\.how is "guess", and must be "drawn" or "handPicked"/],
  ["a device listed twice", { "devices.1.thing": "driven-0" }, /devices names "driven-0" twice/],
  [
    "a cluster in two strata",
    { "devices.1.cluster": "driven-0", "devices.1.stratum": "x" },
    /devices\[1\]\.stratum is "x", but cluster "driven-0" lies in "linux\/amd64" already/,
  ],
  [
    "a cluster in both arms",
    { "devices.1.cluster": "driven-0" },
    /draw\.canary splits cluster "driven-0" at "driven-1"/,
  ],
  [
    "a canary that is no device",
    { "draw.canary": [...canary, "gone"] },
    /draw\.canary names "gone", which is not among the devices/,
  ],
  ["a canary named twice", { "draw.canary.1": canary[0] }, /draw\.canary names "driven-1" twice/],
  ["no canary", { "draw.canary": [] }, /draw\.canary is empty/],
  ["no baseline", { "draw.canary": devices }, /draw\.canary holds all 12 devices/],
  ["fewer asked than drawn", { "draw.asked": 1 }, /draw\.asked is 1, fewer than the 4/],
  [
    "a placebo of more halts than windows",
    { draw: { how: "handPicked", seed: "s", canary, placebo: { windows: 1, halts: 2 } } },
    /draw\.placebo\.halts is 2 of 1 windows/,
  ],
  ["a metric named twice", { "metrics.1.name": "heartbeats" }, /metrics names "heartbeats" twice/],
  ["no metric", { metrics: [] }, /metrics is empty/],
  [
    "an advisory metric that could halt",
    { "metrics.2.role": "advisory", "metrics.2.limit": { above: 1 } },
    /metrics\[2\]\.limit halts, and an advisory metric never does/,
  ],
  [
    "a soak past the horizon",
    { "policy.soakMs": 9e9 },
    /policy\.soakMs is 9000000000, past policy\.horizonMs of 5400000/,
  ],
  [
    "too few draws",
    { "policy.alpha": 0.0001 },
    /policy\.draws is 1999, too few to ever spend alpha = 0\.0001: at least 9999/,
  ],
  [
    "limits without a limit",
    { "metrics.0.limit": undefined, "policy.judgedBy": "limits" },
    /policy\.judgedBy is "limits", but no metric has a limit/,
  ],
  [
    "looks out of order",
    { looks: [second, first] },
    /looks\[1\]\.elapsedMs is 600000, not after the 1200000/,
  ],
  [
    "a metric without values",
    { "looks.1.values.heartbeats": undefined },
    /looks\[1\]\.values has nothing of "heartbeats"/,
  ],
  ["too few pairs", { "before.heartbeats": [null] }, /before\["heartbeats"\] has 1 pairs for 12 devices/],
  [
    "a negative count",
    { "looks.0.values.failed windows.0": [-1, 5] },
    /is \[-1, 5\]: counts and sums are never negative/,
  ],
  [
    "more heard than expected",
    { "looks.1.values.heartbeats.0": [90, 20] },
    /is \[90, 20\]: no more heartbeats can be heard than are expected/,
  ],
  [
    "a total that falls",
    { "looks.1.values.failed windows.2": [0, 1] },
    /is \[0, 1\], and was \[\d+, \d+\] at the look before/,
  ],
  [
    "the release on a device of the baseline",
    { "looks.0.updated": ["driven-0"] },
    /looks\[0\]\.updated names "driven-0", which is no canary/,
  ],
  [
    "an unknown device that fails",
    { "looks.0.failing": [{ thing: "gone", how: "silent" }] },
    /looks\[0\]\.failing names "gone"/,
  ],
])("refuses %s, and says where, what and what to do [judge-8.1]", async (_, changes, sentence) => {
  const refused = await judge("run", changed(changes));
  expect(refused.err).toMatch(sentence);
  expect(refused).toMatchObject({ code: 2, out: "", err: expect.stringContaining("docs/judge-bundle.md") });
});

test("a file that is not there or is no JSON is refused; of many faults ten are told", async () => {
  expect(await judge("run", join(folder, "gone.json"))).toMatchObject({
    code: 2,
    err: expect.stringContaining("name a bundle"),
  });
  expect(await judge("run", write("broken.json", text.slice(0, -5)))).toMatchObject({
    code: 2,
    err: expect.stringContaining("is not JSON"),
  });
  const strangers = Array.from({ length: 30 }, (_, index) => `x${index}`);
  const many = await judge("run", changed({ "looks.0.updated": strangers }));
  expect(many.err).toMatch(/"x9"[^\n]*\n {2}and 20 more\n/);
});

test("a draw is made from devices and a seed, and is the one that verifies", async () => {
  const drawn = await judge("draw", documented, "--canary", "4", "--seed", "a seed that nobody can guess");
  expect(JSON.parse(drawn.out)).toEqual(example.draw);
  const clusters = example.devices.map((device, index) => ({ ...device, cluster: `c${index % 4}` }));
  const whole = await judge("draw", write("devices.json", clusters), "--canary", "4", "--seed", "s");
  const told = Bundle.shape.draw.parse(JSON.parse(whole.out));
  expect(told).toMatchObject({ canary: { length: 3 }, asked: 4 });
  expect(faultsOfDraw({ ...example, devices: clusters, draw: told })).toEqual([]);
  expect(faultsOfDraw({ ...example, devices: clusters, draw: { ...told, seed: "other" } })).toEqual([
    expect.stringContaining('is not the one that the seed "other" draws'),
  ]);
  expect(faultsOfDraw({ ...example, draw: { how: "handPicked", seed: "s", canary } })).toEqual([]);
  expect(await judge("draw", documented, "--canary", "12", "--seed", "s")).toMatchObject({
    code: 2,
    err: expect.stringContaining("at least 1 left as baseline"),
  });
  expect(
    await judge("draw", write("none.json", { devices: [{ thing: "a" }] }), "--canary", "1", "--seed", "s"),
  ).toMatchObject({ code: 2, err: expect.stringContaining("devices[0].stratum is missing") });
});
