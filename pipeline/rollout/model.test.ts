import { SeededRandom } from "@coalmine/runtime";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isDeed } from "./action.ts";
import { actionsOf } from "./next.ts";
import { Play, plans } from "./play.ts";

const sequences = fc.array(fc.nat(1_000_000), { minLength: 10, maxLength: 120 });
const runs = { numRuns: 2000, seed: 20, endOnFailure: false };

test(
  "in any order, with losses, repeats and crashes: never too many unjudged devices, main as it was until promoted, nothing begun outside a window, and always an end that is told [rollout-1.1] [rollout-1.3] [rollout-1.4] [rollout-2.2] [rollout-5.3] [rollout-9.1]",
  { timeout: 600_000 },
  () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(fc.nat(20), sequences, fc.constantFrom(...plans), (rounds, choices, plan) => {
        const play = new Play({ plan });
        // Trouble begins in any phase.
        for (let round = 0; round < rounds; round++) play.goodRound(round);
        for (const choice of choices) play.act(choice);
        play.drain();
        const { phase } = play.rollout;
        expect(phase.phase).toBe("done");
        if (phase.phase !== "done") return;
        ends.set(phase.outcome, (ends.get(phase.outcome) ?? 0) + 1);
        const told = "r1/notify/done";
        expect(play.rollout.outbox[told] ?? play.rollout.done.find((key) => key === told)).toBeDefined();
        if (phase.outcome === "promoted") {
          const missing = new Set(phase.stragglers.map(({ thing }) => thing));
          for (const device of play.world.devices.values())
            if (!missing.has(device.thing)) expect(device.set).toBe("new");
        } else if (phase.outcome !== "failed") {
          // Rolled back and verified: whoever may have had it really has the good one.
          for (const target of plan.targets)
            for (const thing of play.rollout.targets[target.name]?.exposed ?? [])
              expect(play.world.devices.get(thing)?.set).toBe("good");
        }
      }),
      runs,
    );
    // The sequences reach more than one kind of end, or they would prove little.
    expect([...ends.keys()]).toEqual(
      expect.arrayContaining(["promoted", "halted", "failed", "inconclusive", "superseded"]),
    );
  },
);

test(
  "a controller that works reaches a promoted end through the same losses [rollout-1.2] [rollout-4.2]",
  { timeout: 120_000 },
  () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const play = new Play();
        const random = new SeededRandom(seed);
        const fate = () => random.below(7);
        for (let round = 0; round < 400 && play.rollout.phase.phase !== "done"; round++) {
          for (const action of actionsOf(play.rollout))
            if (isDeed(action)) play.deliver(play.world.carryOut(action), fate());
          for (const thing of play.world.devices.keys()) play.deliver(play.world.sync(thing), fate());
          for (const target of ["home", "driven"])
            play.deliver(
              { kind: "look", target, elapsedMs: round, digest: "d", verdict: "PROMOTE", because: "fine" },
              fate(),
            );
          for (const target of ["home", "driven"]) play.deliver(play.seen(target, 0), fate());
          if (play.rollout.phase.phase === "awaitingPromotion")
            play.tell({ kind: "promoted", by: "ada", reason: "fine" });
          if (round % 3 === 0)
            for (const target of ["home", "driven"])
              play.now[target]! += play.rollout.phase.phase === "planned" ? 61 * 60_000 : 60_000;
          play.tell();
        }
        expect(play.rollout.phase).toMatchObject({ phase: "done", outcome: "promoted", stragglers: [] });
      }),
      { numRuns: 15, seed: 7 },
    );
  },
);
