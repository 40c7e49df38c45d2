import { expect, test } from "vitest";
import { parseFaults, parseScenario, readScenario, scenarioNames } from "./read-scenario.ts";

const least = ["about: it", "lasts: 1 h", "expect: [no deployment fails]"].join("\n");
const refused = (more: string) => () => parseScenario(`${least}\n${more}`, "new.yaml");

test.each(scenarioNames().map((name) => [name]))("the scenario %s can be read", (name) => {
  expect(readScenario(name).about).not.toBe("");
});

test("the least that a scenario says, and what is meant where it says nothing", () => {
  const scenario = parseScenario(least, "new.yaml");
  expect(scenario).toMatchObject({
    runsOn: "hosted",
    fleet: { devices: 20, sites: [{ share: 1, deviceClass: "gateway", timeZone: "UTC", link: "good" }] },
    load: { curveEvery: 300_000, controlEvery: 12 },
    releases: [{ at: 0, release: "running" }],
    lasts: 3_600_000,
  });
});

test.each([
  [
    "faults: [{ at: 1 min, kind: explode }]",
    /^new\.yaml:4:\d+: there is no fault "explode"; there are cut, slow, power-cut/,
  ],
  [
    "faults:\n  - at: 5 fortnights\n    for: 1 s\n    kind: cut",
    /^new\.yaml:5:9: "5 fortnights" is no duration: .* one of ms, s, min, h, d/,
  ],
  [
    "fleet:\n  sites:\n    - name: here\n      deviceClass: mainframe",
    /^new\.yaml:7:20: fleet\.sites\.0\.deviceClass is "mainframe"; there are gateway, compact, tiny$/,
  ],
  ["fleet:\n  sites: [{ name: here, timeZone: Mars/Olympus }]", /^new\.yaml:5:35: no time zone of that name/],
  [
    "fleet:\n  sites: [{ name: a, share: 0.5 }, { name: b, share: 0.4 }]",
    /^new\.yaml:5:10: .* 0\.9 together, and must be 1/,
  ],
  ["runsOn: process", /^new\.yaml:2:8: process devices run in real time: at most 30 min/m],
  ["runsOn: process", /a machine carries 12 process devices; say how many/],
  [
    "runsOn: process\nfaults: [{ kind: clog, at: 1 s, for: 1 s }]",
    /^new\.yaml:5:18: clog is for hosted devices; process devices know cut, power-cut, kill-nucleus/m,
  ],
  [
    "runsOn: process\nfaults: [{ kind: power-cut, stage: merging, for: 1 s }]",
    /^new\.yaml:5:36: process devices tell nobody of stages/m,
  ],
  ["load: { curveEvery: 20 s }", /^new\.yaml:4:21: at most one curve in 1 min/],
  ["wether: fine", /^new\.yaml:4:\d+: "wether" means nothing; correct or remove it/],
  ["faults: [{ kind: cut, for: 1 s }]", /say once when it happens: at, every, perDay or stage, not nothing/],
  ["faults: [{ kind: cut, for: 1 s, at: 2 h }]", /at is after the scenario's end/],
  ["faults: [{ kind: cut, for: 1 s, at: 2 s, site: moon }]", /there is no site moon; there are site/],
  ["faults: [{ kind: cut, for: 1 s, at: 2 s, share: 0.5, devices: 3 }]", /once, not by share and devices/],
  ["faults: [{ kind: cut, at: 2 s }]", /^new\.yaml:4:10: faults\.0\.for is missing/],
  [
    "faults: [{ kind: kill-component, at: 2 s, component: coalmine.Nothing }]",
    /there are coalmine\.SensorReader,/,
  ],
  [
    "releases: [{ at: 0 s, configure: coalmine.Inference, merge: {} }]",
    /a release comes before the first configuration/,
  ],
  ["faults: [", /^new\.yaml:\d+:\d+: /],
])("%s is refused where it stands", (more, sentence) => {
  expect(refused(more)).toThrow(sentence);
});

test.each([
  [
    "it rains",
    /nobody can check "it rains"; what can be expected: "every device runs the \{release\} release at the end", /,
  ],
  [
    "every device runs the candidate release at the end",
    /cannot come true: the last release that is deployed is the running one/,
  ],
  ["at least 10000 readings are measured on every device", /cannot come true: the load makes at most 260/],
  [
    "the configuration is refused everywhere",
    /cannot come true: no configuration is deployed that is to be refused/,
  ],
  ["coalmine.Inference starts again at least 1 times", /cannot come true: nothing is broken or deployed/],
  ["a deployment takes at least 5 h somewhere", /cannot come true: a deployment that takes so long is late/],
])("an expectation that cannot be says so: %s", (text, sentence) => {
  expect(() => parseScenario(`about: it\nlasts: 1 h\nexpect: ["${text}"]`, "new.yaml")).toThrow(sentence);
});

test("an unknown scenario is refused with those that there are, and a list of faults is told like a scenario", () => {
  expect(() => readScenario("rain")).toThrow(/there is no scenario "rain"; there are .*steady-day/);
  expect(() => parseFaults("- kind: cut\n  at: soon\n  for: 1 s", "f.yaml")).toThrow(
    /^f\.yaml:2:7: "soon" is no duration/,
  );
});
