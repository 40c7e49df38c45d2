import { expect, test } from "vitest";
import { parseSteps, type StepName } from "./index.ts";

test("a step is text or a map; keys in any case [core-device-12.8]", () => {
  const { steps } = parseSteps({
    install: "make",
    RUN: { script: "go", REQUIRESPRIVILEGE: "true", timeout: "90", SkipIf: "exists /tmp/x y" },
  });
  expect(steps.install).toEqual({
    script: "make",
    timeoutSeconds: 120,
    requiresPrivilege: false,
    setenv: {},
  });
  expect(steps.run).toEqual({
    script: "go",
    timeoutSeconds: 90,
    requiresPrivilege: true,
    skipIf: { condition: "exists", argument: "/tmp/x y", negated: false },
    setenv: {},
  });
});

test("each step has its own default timeout, and run has none [core-device-12.9]", () => {
  const all = Object.fromEntries(
    ["Bootstrap", "Install", "Startup", "Run", "Shutdown", "Recover", "Uninstall"].map((name) => [name, "x"]),
  );
  const { steps } = parseSteps(all);
  expect(
    Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, step.timeoutSeconds])),
  ).toEqual({
    bootstrap: 120,
    install: 120,
    startup: 120,
    run: undefined,
    shutdown: 15,
    recover: 60,
    uninstall: 120,
  });
});

test("the environment nearest to the step wins, and its values are text [core-device-12.10]", () => {
  const { steps, setenv } = parseSteps({
    Setenv: { A: "outer", B: 1, C: { d: [true] } },
    Run: { Script: "x", Setenv: { A: "inner", E: null } },
  });
  expect(setenv).toEqual({ A: "outer", B: "1", C: '{"d":[true]}' });
  expect(steps.run?.setenv).toEqual({ A: "inner", B: "1", C: '{"d":[true]}', E: "" });
});

test.each<[string, unknown]>([
  ["onpath node", { condition: "onpath", argument: "node", negated: false }],
  ["!onpath  node", { condition: "onpath", argument: "node", negated: true }],
  ["! exists /a", { condition: "exists", argument: "/a", negated: true }],
])("Skipif %s is read [core-device-12.11]", (written, skipIf) => {
  expect(parseSteps({ Install: { Script: "x", Skipif: written } }).steps.install?.skipIf).toEqual(skipIf);
});

test.each<[StepName, Record<string, unknown>, RegExp]>([
  ["run", { Run: { Timeout: 5 } }, /run step has no Script/],
  ["install", { Install: { Script: "x", Skipif: "maybe" } }, /Skipif "maybe"/],
  ["startup", { Startup: { Script: "x", Timeout: "soon" } }, /Timeout "soon"/],
  ["shutdown", { Shutdown: 5 }, /no Script/],
])(
  "a %s step that cannot be run is a fault, not a step, and the others stand [core-device-12.8]",
  (name, lifecycle, fault) => {
    const read = parseSteps({ ...(lifecycle as { Run: string }), Recover: "x" });
    expect(read.steps[name]).toBeUndefined();
    expect(read.faults[name]).toMatch(fault);
    expect(read.steps.recover?.script).toBe("x");
  },
);

test("steps left empty are no steps; the time after which errors are forgotten is an hour [core-device-12.9]", () => {
  expect(parseSteps({ Run: "", Install: null })).toEqual({
    steps: {},
    faults: {},
    setenv: {},
    errorResetTimeSeconds: 3600,
    bootstrapOnRollback: false,
  });
  expect(parseSteps({ errorResetTime: 60 }).errorResetTimeSeconds).toBe(60);
  expect(parseSteps({ Bootstrap: { Script: "x", BootstrapOnRollback: true } }).bootstrapOnRollback).toBe(
    true,
  );
});
