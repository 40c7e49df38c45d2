import { readFileSync } from "node:fs";
import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { BLOCK_WINDOWS, Drift } from "./drift.ts";
import { Binned } from "./histogram.ts";
import { type Histogram, Manifest } from "./manifest.ts";
import { PageHinkley } from "./page-hinkley.ts";

/** A recorded Stormer viscometer: times of 23 runs, drawn from again and again. */
const recorded = readFileSync(
  new URL("../../../simulator/instruments/recordings/stormer-viscometer.csv", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => Math.log(Number(line.split(",").at(-1))));

const random = new SeededRandom("drift");
const drawn = (): number =>
  (recorded[Math.floor(random.next() * recorded.length)] ?? 0) + 0.05 * random.normal();

function histogramOf(name: string, values: readonly number[]): Histogram {
  const sorted = values.toSorted((a, b) => a - b);
  const edges = Array.from(
    { length: 9 },
    (_, index) => sorted[Math.floor(((index + 1) / 10) * sorted.length)] ?? 0,
  );
  const binned = edges.map(
    (edge, index) => values.filter((v) => v < edge && v >= (edges[index - 1] ?? -Infinity)).length,
  );
  const shares = [...binned, values.filter((v) => v >= (edges.at(-1) ?? 0)).length].map(
    (n) => n / values.length,
  );
  return { name, edges, shares };
}

const reference = histogramOf("time", Array.from({ length: 5000 }, drawn));
const raw = JSON.parse(
  readFileSync(new URL("../../../models/blood-viscosity/manifest.json", import.meta.url), "utf8"),
);
const manifest = Manifest.parse({
  ...raw,
  drift: { inputs: [{ ...reference, column: 0 }], value: reference, probability: reference },
});
const score = (value: number) => ({ value, probabilities: [1], classIndex: 0, probability: value });

test("PSI and KS of two distributions known by hand", () => {
  const binned = new Binned({ name: "x", edges: [0], shares: [0.5, 0.5] });
  for (let n = 0; n < 100; n++) binned.add(n < 80 ? -1 : 1);
  // Σ (p − q) ln(p/q) = 0.3 ln(1.6) + (−0.3) ln(0.4)
  expect(binned.psi()).toBeCloseTo(0.3 * Math.log(1.6) - 0.3 * Math.log(0.4), 10);
  expect(binned.ks()).toBeCloseTo(0.3, 10);
});

test("an empty bin is no infinity", () => {
  const binned = new Binned({ name: "x", edges: [0], shares: [0, 1] });
  binned.add(-1);
  expect(Number.isFinite(binned.psi())).toBe(true);
});

test("100 blocks as in training bring no finding; a shift by one deviation is found in the first block", () => {
  const drift = new Drift(manifest);
  let drifts = 0;
  for (let n = 0; n < 100 * BLOCK_WINDOWS; n++) {
    const value = drawn();
    drifts += drift.add({ input: Float32Array.of(value) }, score(value)).drifts;
  }
  expect(drifts).toBe(0);
  expect(drift.worst("input", "psi")).toBeLessThan(0.25);
  const deviation = Math.sqrt(
    recorded.reduce((sum, v) => sum + (v - mean(recorded)) ** 2, 0) / recorded.length,
  );
  for (let n = 0; n < BLOCK_WINDOWS; n++) {
    const value = drawn() + deviation;
    drifts += drift.add({ input: Float32Array.of(value) }, score(value)).drifts;
  }
  expect(drifts).toBe(3);
  expect(drift.findings.map(({ quantity }) => quantity)).toEqual([
    "input:time",
    "output:value",
    "output:probability",
  ]);
});

test("Page and Hinkley's test tells a shift up or down within 100 values, and few of 20,000 without one", () => {
  for (const shift of [1, -1]) {
    const ph = new PageHinkley({ tolerance: 0.5, threshold: 20, learnFrom: 100 });
    for (let n = 0; n < 200; n++) ph.add(random.normal());
    let waited = 0;
    while (!ph.add(random.normal() + shift)) waited++;
    expect(waited).toBeLessThan(100);
  }
  const still = new PageHinkley({ tolerance: 0.5, threshold: 20, learnFrom: 100 });
  let told = 0;
  for (let n = 0; n < 20_000; n++) if (still.add(random.normal())) told++;
  expect(told).toBeLessThanOrEqual(1);
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
