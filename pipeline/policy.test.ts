import { expect, test } from "vitest";
import { pairOf, type DeviceTotals } from "./policy-evidence.ts";
import { fitFleet, fitPolicy } from "./policy-fit.ts";
import { driven, HOUR_MS, hostedFleet, policy, text } from "./policy.fixture.ts";
import { DurationMs } from "./policy-target.ts";
import { judging, parsePolicy, promotesItself } from "./policy.ts";

test("the file is read, and its targets are the home and the driven region", () => {
  expect(Object.keys(policy.targets)).toEqual(["home", "driven"]);
  expect(judging(policy, "home")).toMatchObject({ policy: { judgedBy: "limits" }, metrics: { length: 3 } });
  expect(driven).toMatchObject({ prePeriod: 24 * HOUR_MS, soak: 12 * HOUR_MS, canaryDevices: 10 });
});

test("promoting an unchanged release is planned with at least 99 % on fifty hosted devices", async () => {
  const { devices, pairs } = hostedFleet("history", 48);
  const { plan, refusals } = await fitPolicy(policy, "driven", {
    devices,
    bucketMs: HOUR_MS,
    metrics: pairs,
  });
  expect(refusals).toEqual([]);
  expect(plan.unchanged.promote).toBeGreaterThanOrEqual(0.99);
});

test.each([
  [
    "an unknown counter",
    "counter: gaps,",
    "counter: gasp,",
    /sensorReader publishes no counter "gasp"; it has framesReceived/,
  ],
  [
    "an unknown metric",
    "[heartbeats, gaps per reading, refused points]",
    "[hartbeats]",
    /target home: unknown metric hartbeats/,
  ],
  [
    "more canaries than may be unjudged",
    "canaryDevices: 10",
    "canaryDevices: 11",
    /more than unjudgedDevicesMax \(10\)/,
  ],
  ["waves that do not end with all", "[0.25, 1]", "[0.25, 0.5]", /must rise and end with 1/],
  ["a soak past the horizon", "soak: 12 h", "soak: 19 h", /must end by the horizon/],
  [
    "an emergency that soaks for longer",
    "waveSoak: 10 min }",
    "waveSoak: 31 min }",
    /must not soak for longer than any other/,
  ],
  [
    "waves that nobody would look at",
    "pulseEvery: 5 min",
    "pulseEvery: 7 h",
    /must not be longer than the deadlines of a wave/,
  ],
  ["too few draws to spend alpha", "draws: 1999", "draws: 150", /at least 199 are needed/],
  ["a duration without a unit", "lookEvery: 1 h", "lookEvery: 60", /lookEvery/],
  [
    "a gate that there is not",
    "gate: default",
    "gate: none",
    /rehearsal\.gate is "none", and must be "upgrade"/,
  ],
  ["a key that means nothing", "lookEvery: 1 h", "lookEvry: 1 h", /lookEvry/],
  [
    "silence that may not halt",
    "of: heartbeats\n    direction: up\n    autonomy: halt",
    "of: heartbeats\n    direction: up\n    autonomy: advise",
    /"heartbeats" may advise, but silence always can halt/,
  ],
  [
    "a limit that may not halt",
    "    autonomy: advise\n    minEffect: 1.5",
    "    autonomy: advise\n    limit: { above: 1 }\n    minEffect: 1.5",
    /"frames refused" may advise, and has a limit, which halts/,
  ],
  [
    "a margin of what is only observed",
    "    autonomy: advise\n    minEffect: 1.5",
    "    autonomy: observe\n    margin: 2\n    minEffect: 1.5",
    /"frames refused" is only observed, and has a margin/,
  ],
  [
    "half a source",
    "of: { component: sensorReader, counter: gaps, per: readings }",
    "of: { component: sensorReader, counter: gaps }",
    /metrics\[3\]\.of\.per is missing: it must be a text/,
  ],
  [
    "limits without a limit",
    "metrics: [heartbeats, gaps per reading, refused points]",
    "metrics: [model run]",
    /none of its metrics has one/,
  ],
])("refuses %s, and says so", (_, from, to, sentence) => {
  expect(text).toContain(from);
  expect(() => parsePolicy(text.replace(from, to))).toThrow(sentence);
});

test("a metric's autonomy says whether it halts, stands in the way, or promotes without a person", () => {
  const roles = (changed: string) =>
    Object.fromEntries(judging(parsePolicy(changed), "driven").metrics.map(({ name, role }) => [name, role]));
  expect(roles(text)).toMatchObject({ heartbeats: "halting", commit: "advisory" });
  const all = text.replaceAll("autonomy: halt", "autonomy: promote");
  expect(roles(all)).toEqual(roles(text));
  expect(["home", "driven"].map((target) => promotesItself(policy, target))).toEqual([false, false]);
  expect(["home", "driven"].map((target) => promotesItself(parsePolicy(all), target))).toEqual([true, true]);
  // One that only halts keeps its targets, and no other, with a person.
  const one = all.replace("autonomy: promote\n    minEffect: 1.2", "autonomy: halt\n    minEffect: 1.2");
  expect(["home", "driven"].map((target) => promotesItself(parsePolicy(one), target))).toEqual([true, false]);
});

test("a policy of before there were degrees of autonomy means what it meant", () => {
  const old = text
    .replaceAll("autonomy: halt", "role: halting")
    .replaceAll("autonomy: advise", "role: advisory");
  expect(parsePolicy(old)).toEqual(policy);
  expect(parsePolicy(text.replace(/^rehearsal: .*$/m, "")).rehearsal).toEqual({
    gate: "default",
    devices: 8,
  });
  expect(() => parsePolicy(text.replace("autonomy: halt", "role: guessing"))).toThrow(
    /metrics\[0\]\.autonomy is "guessing", and must be "observe", "advise", "halt" or "promote"/,
  );
});

test("refuses what is not YAML", () => expect(() => parsePolicy("a: [")).toThrow(/not YAML/));

test("refuses, with arithmetic, what the fleet cannot show", async () => {
  const { devices, pairs } = hostedFleet("history", 48);
  const history = { devices, bucketMs: HOUR_MS, metrics: pairs };
  const tight = parsePolicy(
    text.replace("minEffect: 1.2\n    margin: 1.5", "minEffect: 1.2\n    margin: 1.02"),
  );
  expect((await fitPolicy(tight, "driven", history)).refusals.join("\n")).toMatch(
    /margin of 1\.02 for "model run" is below what the fleet can show: .* \d+ canary devices or a larger margin would do/,
  );
  const few = { devices: devices.slice(0, 10), bucketMs: HOUR_MS, metrics: {} };
  const refusals = (await fitPolicy(policy, "driven", few)).refusals.join("\n");
  expect(refusals).toMatch(/10 canary devices of a fleet of 10 leave no baseline/);
  expect(refusals).toMatch(/no history of "heartbeats"/);
  expect((await fitPolicy(policy, "home", few)).refusals).toEqual([]);
});

test("refuses a canary that the devices cannot give, before anything is known of them [judge-6.2]", () => {
  const fleet = (shape: (index: number) => { stratum: string; cluster: string }, count = 50) =>
    Array.from({ length: count }, (_, index) => ({ thing: `d${index}`, ...shape(index) }));
  const own = (index: number) => ({ stratum: "all", cluster: `d${index}` });
  const refused = (devices: ReturnType<typeof fleet>, changed = text) =>
    fitFleet(parsePolicy(changed), "driven", devices, 10).join("\n");
  expect(refused(fleet(own))).toBe("");
  expect(refused(fleet(own, 10))).toMatch(/10 canary devices of a fleet of 10 leave no baseline/);
  expect(refused(fleet((index) => ({ stratum: `s${index % 2}`, cluster: `site-${index % 5}` })))).toMatch(
    /cluster "site-0" lies in the strata "s0" and "s1", but is drawn as a whole/,
  );
  expect(refused(fleet((index) => ({ stratum: "all", cluster: `site-${index % 2}` })))).toMatch(
    /every cluster is larger than its stratum's share/,
  );
  // Five sites of ten devices: one of them is drawn, in five ways.
  expect(refused(fleet((index) => ({ stratum: "all", cluster: `site-${index % 5}` })))).toMatch(
    /10 of 50 devices can be drawn in so few ways that the smallest p is 0\.20, above alpha = 0\.005/,
  );
  // A stratum for each pair of devices: one of two, ten times, is many ways; of whole strata there is one.
  expect(refused(fleet((index) => ({ stratum: `s${index % 25}`, cluster: `d${index}` })))).toBe("");
});

test("a device that says nothing of a component has no pair, and an expected heartbeat counts though none came", () => {
  const nothing: DeviceTotals = { heartbeats: { heard: 0, expected: 60 }, components: {} };
  expect(pairOf("heartbeats", nothing)).toEqual([0, 60]);
  expect(pairOf({ component: "inference", sum: "runMs" }, nothing)).toBeNull();
  const silent = {
    heartbeats: { heard: 30, expected: 60 },
    components: { sensorReader: { counters: { readings: 90 }, sums: {} } },
  };
  expect(pairOf({ component: "sensorReader", counter: "readings", per: "heartbeats" }, silent)).toEqual([
    90, 60,
  ]);
  expect(pairOf({ component: "sensorReader", counter: "gaps", per: "readings" }, silent)).toBeNull();
});

test("durations are read in their units", () => {
  expect(["30 s", "1.5 h", "7 d"].map((one) => DurationMs.parse(one))).toEqual([
    30_000, 5_400_000, 604_800_000,
  ]);
});
