import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { type Beam, type Damage, naturalFrequency } from "./beam.ts";
import { BridgeAccelerometer } from "./bridge-accelerometer.ts";

/** A steel strip 1 m long and 10 mm thick. */
const strip: Beam = {
  bendingStiffness: (210e9 * 0.05 * 0.01 ** 3) / 12,
  massPerMetre: 7850 * 0.05 * 0.01,
  spanMetres: 1,
};

test("the roots of a beam on two supports are π², 4π² and 9π², and a steel strip of 1 m has 23.5 Hz", () => {
  const { bendingStiffness, massPerMetre, spanMetres } = strip;
  const unit = Math.sqrt(bendingStiffness / (massPerMetre * spanMetres ** 4)) / (2 * Math.PI);
  // As in every table of the eigenvalues (βL)².
  for (const [mode, root] of [
    [1, 9.8696],
    [2, 39.4784],
    [3, 88.8264],
  ] as const)
    expect(naturalFrequency(strip, mode) / unit).toBeCloseTo(root, 3);
  expect(naturalFrequency(strip, 1)).toBeCloseTo(23.45, 1);
});

/** The first frequency by finite differences: bending is solved twice as a string, turn by turn of the inverse iteration. */
function byDifferences({ bendingStiffness, massPerMetre, spanMetres }: Beam, damage: Damage): number {
  const count = 399;
  const h = spanMetres / (count + 1);
  const stiffness = (index: number): number => {
    const x = (index + 1) * h;
    return bendingStiffness * (x > damage.fromMetres && x < damage.toMetres ? 1 - damage.lostShare : 1);
  };
  // -u″ = f with u = 0 at both ends, by Thomas's algorithm.
  const string = (load: readonly number[]): number[] => {
    const c: number[] = [];
    const d: number[] = [];
    for (const [index, f] of load.entries()) {
      const pivot = 2 + (c[index - 1] ?? 0);
      c.push(-1 / pivot);
      d.push((f * h * h + (d[index - 1] ?? 0)) / pivot);
    }
    const u = Array.from(load, () => 0);
    for (let index = count - 1; index >= 0; index--)
      u[index] = (d[index] ?? 0) - (c[index] ?? 0) * (u[index + 1] ?? 0);
    return u;
  };
  let shape = Array.from({ length: count }, (_, index) => Math.sin((Math.PI * (index + 1)) / (count + 1)));
  let lambda = 0;
  for (let turn = 0; turn < 20; turn++) {
    const moment = string(shape.map((u) => massPerMetre * u));
    const next = string(moment.map((m, index) => m / stiffness(index)));
    lambda = Math.hypot(...shape) / Math.hypot(...next);
    shape = next.map((u) => u * lambda);
  }
  return Math.sqrt(lambda) / (2 * Math.PI);
}

test("a little damage lowers the frequency as the beam's equation says, solved in another way", () => {
  for (const damage of [
    { fromMetres: 0.45, toMetres: 0.55, lostShare: 0.2 },
    { fromMetres: 0.1, toMetres: 0.3, lostShare: 0.1 },
  ]) {
    const [exact, ours] = [byDifferences(strip, damage), naturalFrequency(strip, 1, damage)];
    expect(ours).toBeLessThan(naturalFrequency(strip, 1));
    expect(Math.abs(ours / exact - 1)).toBeLessThan(0.01);
    // Rayleigh's quotient comes from above.
    expect(ours).toBeGreaterThan(exact * (1 - 1e-3));
  }
});

test("damage at midspan lowers the first mode and hardly the second, whose node is there", () => {
  const damage = { fromMetres: 0.48, toMetres: 0.52, lostShare: 0.5 };
  const drop = (mode: number): number =>
    1 - naturalFrequency(strip, mode, damage) / naturalFrequency(strip, mode);
  expect(drop(1)).toBeGreaterThan(20 * drop(2));
});

/** Power at a frequency of samples at a rate. */
function power(samples: readonly number[], rateHz: number, frequency: number): number {
  let [re, im] = [0, 0];
  for (const [index, value] of samples.entries()) {
    const angle = (2 * Math.PI * frequency * index) / rateHz;
    re += value * Math.cos(angle);
    im += value * Math.sin(angle);
  }
  return re * re + im * im;
}

/** Where the first mode's peak is, by its centre of power over ten spectra of 20 s. */
function peak(bridge: BridgeAccelerometer, fromMs: number): number {
  const [rateHz, length] = [100, 2000];
  let [weighted, all] = [0, 0];
  for (let spectrum = 0; spectrum < 10; spectrum++) {
    const samples = Array.from({ length }, (_, index) =>
      bridge.sample(fromMs + (1000 * (spectrum * length + index)) / rateHz),
    );
    for (let frequency = 2.5; frequency <= 5.5; frequency += 0.05) {
      const found = power(samples, rateHz, frequency);
      weighted += frequency * found;
      all += found;
    }
  }
  return weighted / all;
}

test("a bridge's acceleration peaks at its first frequency, and the peak moves down as damage develops", () => {
  const damage = { fromMs: 1000 * 600, lostSharePerDay: 0.01, fromMetres: 10, toMetres: 20 };
  // At midspan the second mode has its node, and the third is far above.
  const bridge = new BridgeAccelerometer({ random: new SeededRandom("bridge"), atMetres: 15, damage });
  const [before, soon, late] = [bridge.frequency(1, 0), 0, 30 * 86_400_000];
  expect(before).toBeCloseTo(4.18, 1);
  expect(Math.abs(peak(bridge, soon) / before - 1)).toBeLessThan(0.04);
  const after = bridge.frequency(1, late);
  expect(after / before).toBeLessThan(0.92);
  expect(Math.abs(peak(bridge, late) / after - 1)).toBeLessThan(0.04);
});

test("the signal's strength is the same at any rate of sampling", () => {
  const deviation = (stepMs: number): number => {
    const bridge = new BridgeAccelerometer({ random: new SeededRandom(`${stepMs}`) });
    const samples = Array.from({ length: 4000 }, (_, index) => bridge.sample(index * stepMs));
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  };
  expect(Math.abs(deviation(97) / deviation(1013) - 1)).toBeLessThan(0.1);
});
