import { expect, test } from "vitest";
import { NO_PREVIOUS, storedEntry } from "../../pipeline/controller/audit.ts";
import type { Evidence } from "../../pipeline/rollout/evidence.ts";
import { verdictAtMs } from "./verdict-time.ts";

type Verdict = Extract<Evidence, { kind: "look" }>["verdict"];

function log(...looks: readonly (readonly [atMs: number, target: string, verdict: Verdict])[]) {
  return looks.map(([atMs, target, verdict], sequence) =>
    storedEntry({
      rollout: "r",
      sequence,
      previous: NO_PREVIOUS,
      atMs,
      record: {
        kind: "told",
        now: {},
        evidence: [{ kind: "look", target, elapsedMs: 1, digest: "", verdict, because: "" }],
      },
    }),
  );
}

test("the first verdict that stood counts, of the target that is asked for", () => {
  const entries = log(
    [1, "driven", "WAIT"],
    [2, "home", "PROMOTE"],
    [3, "driven", "PROMOTE"],
    [4, "driven", "PROMOTE"],
  );
  expect(verdictAtMs(entries, "driven")).toBe(3);
});

test("a verdict that was taken back does not", () => {
  expect(
    verdictAtMs(log([1, "driven", "PROMOTE"], [2, "driven", "WAIT"], [3, "driven", "HALT"]), "driven"),
  ).toBe(3);
});

test("where the judge waits there is none", () => {
  expect(verdictAtMs(log([1, "driven", "WAIT"]), "driven")).toBeUndefined();
});
