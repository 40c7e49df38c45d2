import { ComponentHealth } from "@coalmine/contract";
import { expect, test } from "vitest";
import { HealthWitness } from "./health.ts";
import { secretSearch } from "./secrets.ts";

const heartbeat = (thing: string, sequence: number, health: object) => ({
  topic: `coalmine/${thing}/heartbeat`,
  payload: new TextEncoder().encode(
    JSON.stringify({ version: 1, thing, sentMs: 1, sequence, components: [{ ...health, ageMs: 0 }] }),
  ),
});
const health = (version: string, startedMs: number, windows: number, sum: number): ComponentHealth =>
  ComponentHealth.parse({
    version: 1,
    component: "coalmine.Inference",
    componentVersion: version,
    startedMs,
    counters: { windows },
    gauges: {},
    sums: { runMs: { sum, count: windows } },
  });

test("counters of a run count once, those of runs and devices add up, and versions stay apart", () => {
  const witness = new HealthWitness();
  const hear = (thing: string, sequence: number, one: ComponentHealth) => {
    const { topic, payload } = heartbeat(thing, sequence, one);
    witness.hear(topic, payload);
  };
  hear("a", 0, health("1.0.0", 5, 1, 2));
  hear("a", 1, health("1.0.0", 5, 3, 6));
  hear("a", 2, health("1.0.0", 900, 1, 4));
  hear("b", 0, health("1.0.0", 5, 4, 8));
  hear("b", 1, health("1.0.1", 950, 2, 10));
  witness.hear("coalmine/a/heartbeat", new Uint8Array([1]));
  expect(witness).toMatchObject({ heartbeats: 5, unreadable: 1 });
  expect(witness.versions()).toEqual([
    expect.objectContaining({
      version: "1.0.0",
      runs: 3,
      counters: { windows: 8 },
      means: { runMs: 18 / 8 },
    }),
    expect.objectContaining({ version: "1.0.1", runs: 1, counters: { windows: 2 }, means: { runMs: 5 } }),
  ]);
});

test("a secret is found by its own text, or by what access keys and private keys look like", () => {
  const sessionToken = "dGhpcyBpcyBhIHNlc3Npb24/token+of_a-thing==";
  const holdsSecret = secretSearch([
    "s3cr3t-of-a-device",
    "pass word",
    sessionToken,
    "s3cr3t-of-a-device-too",
  ]);
  expect(holdsSecret("token s3cr3t-of-a-device")).toBe(true);
  expect(holdsSecret(`{"token":"x/${sessionToken}y"}`)).toBe(true);
  expect(holdsSecret(`{"token":"${sessionToken.slice(0, -1)}"}`)).toBe(false);
  expect(holdsSecret("the pass word is short")).toBe(true);
  expect(holdsSecret("as ASIAQ3EGTZABCDEF1234")).toBe(true);
  expect(holdsSecret("-----BEGIN EC PRIVATE KEY-----")).toBe(true);
  expect(holdsSecret("ARIA and 12 measurements of hosted-0001")).toBe(false);
});
