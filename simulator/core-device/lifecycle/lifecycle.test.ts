import { DrivenClock } from "@coalmine/runtime";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { drain } from "../testing/services.ts";
import { Lifecycle, type Outcome, type StateChange } from "./lifecycle.ts";
import type { State, StatusDetails } from "./states.ts";

/** Every move that the nucleus's own table allows. */
const moves: Readonly<Record<State, readonly State[]>> = {
  NEW: ["INSTALLED", "ERRORED", "BROKEN"],
  INSTALLED: ["STARTING", "NEW", "FINISHED"],
  STARTING: ["RUNNING", "FINISHED", "STOPPING", "ERRORED", "BROKEN"],
  RUNNING: ["STOPPING", "ERRORED", "BROKEN"],
  STOPPING: ["NEW", "INSTALLED", "FINISHED", "ERRORED"],
  ERRORED: ["NEW", "STOPPING", "INSTALLED", "FINISHED"],
  BROKEN: ["NEW"],
  FINISHED: ["INSTALLED", "NEW"],
  UNINSTALLED: [],
};

test("whatever is asked and reported, only the nucleus's moves are made, and three errors break [core-device-4.13]", async () => {
  const event = fc.oneof(
    fc.constantFrom(
      "start" as const,
      "restart" as const,
      "reinstall" as const,
      "stop" as const,
      "ready" as const,
    ),
    fc.constantFrom("RUNNING" as const, "ERRORED" as const, "FINISHED" as const),
    fc.record({ wait: fc.nat(4000) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 30 }),
      fc.infiniteStream(fc.boolean()),
      async (events, luck) => {
        const clock = new DrivenClock(0, drain);
        const changes: StateChange[] = [];
        let ready = false;
        const drawn = (): Outcome =>
          luck.next().value === true
            ? { ok: true }
            : { ok: false, code: "INSTALL_ERROR", reason: "by chance" };
        const lifecycle = new Lifecycle({
          clock,
          actions: {
            install: async () => drawn(),
            start: (report: (state: State, details?: StatusDetails) => void) =>
              report(luck.next().value === true ? "RUNNING" : "ERRORED"),
            shutdown: async () => ({ ok: true }),
            recover: async () => undefined,
            stopProcesses: async () => undefined,
            kill: () => undefined,
          },
          dependenciesReady: () => ready,
          errorResetMs: () => 3000,
          changed: (change) => changes.push(change),
        });
        for (const next of events) {
          if (typeof next === "object") await clock.runUntil(clock.now() + next.wait);
          else if (next === "start") lifecycle.requestStart();
          else if (next === "restart") lifecycle.requestRestart();
          else if (next === "reinstall") lifecycle.requestReinstall();
          else if (next === "stop") lifecycle.requestStop();
          else if (next === "ready") {
            ready = !ready;
            lifecycle.poke();
          } else lifecycle.report(next);
          await clock.settle();
        }
        await lifecycle.close();
        for (const { from, to } of changes) expect(moves[from], `${from} → ${to}`).toContain(to);
        expect(changes).toEqual(
          changes.filter((change, index) => index === 0 || changes[index - 1]?.to === change.from),
        );
        for (const state of ["NEW", "STARTING", "RUNNING"] as const) expectBrokenByThree(changes, state);
      },
    ),
    { numRuns: 2000 },
  );
});

/** A second reading of the rule: a run of errors from one state, each within the reset time, ends at three in BROKEN. */
function expectBrokenByThree(changes: readonly StateChange[], state: State): void {
  let errors = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    if (change.from === "BROKEN") errors = 0;
    if (change.from !== state) continue;
    if (change.to !== "ERRORED" && change.to !== "BROKEN") {
      errors = 0;
      continue;
    }
    errors = errors > 0 && change.at - last >= 3000 ? 1 : errors + 1;
    last = change.at;
    expect(change.to).toBe(errors >= 3 ? "BROKEN" : "ERRORED");
  }
}
