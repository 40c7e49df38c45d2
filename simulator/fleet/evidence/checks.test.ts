import { componentNames } from "@coalmine/contract";
import { expect, test } from "vitest";
import type { Release } from "../release/release-folder.ts";
import { residualCheck, windowTimeCheck } from "./checks.ts";

const component = (name: string, version: string): Release["components"][number] => ({
  component: name,
  version,
  recipe: "",
  artifacts: [],
});
const release = (version: string): Release => ({
  folder: "",
  components: [component(componentNames.sensorReader, version), component(componentNames.inference, version)],
});
const heard = (name: string, version: string, means: Record<string, number>) => ({
  component: name,
  version,
  runs: 8,
  counters: {},
  means,
});
const running = release("1.0.0");
const candidate = release("1.0.1");

test("a calibration that is 3 % off stands out of noise of 1 %, and noise does not", () => {
  const residuals = (before: number, after: number) =>
    residualCheck(
      [
        heard(componentNames.sensorReader, "1.0.0", { controlResidual: before }),
        heard(componentNames.sensorReader, "1.0.1", { controlResidual: after }),
      ],
      running,
      candidate,
    );
  expect(residuals(0.008, 0.03)).toMatchObject({
    ok: false,
    found: "0.0300 with the candidate, 0.00800 with what runs now",
  });
  expect(residuals(0.008, 0.0095).ok).toBe(true);
});

test("five model runs for one stand out, and chance does not", () => {
  const times = (before: number, after: number) =>
    windowTimeCheck(
      [
        heard(componentNames.inference, "1.0.0", { runMs: before }),
        heard(componentNames.inference, "1.0.1", { runMs: after }),
      ],
      running,
      candidate,
    );
  expect(times(1.24, 6.2).ok).toBe(false);
  expect(times(1.24, 1.3).ok).toBe(true);
});

test("what was not observed does not hold", () => {
  expect(residualCheck([], running, candidate)).toMatchObject({ ok: false });
  expect(windowTimeCheck([], running, candidate)).toMatchObject({
    ok: false,
    found: "nothing with the candidate, nothing with what runs now",
  });
});

test("where inference is unchanged it is compared with itself", () => {
  const same = [heard(componentNames.inference, "1.0.0", { runMs: 1.2 })];
  expect(windowTimeCheck(same, running, running).ok).toBe(true);
});
