import { SeededRandom } from "@coalmine/runtime";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isDeed } from "./action.ts";
import { actionsOf } from "./next.ts";
import { Play, plans } from "./play.ts";

const isLong = process.env["COALMINE_LONG"] === "1";
const RUNS = isLong ? 100_000 : 2000;
/** One that fails is made shorter for as long as that, and no longer. */
const PATIENCE_MS = isLong ? 7_200_000 : 600_000;
const sequences = fc.array(fc.nat(1_000_000), { minLength: 10, maxLength: 120 });

test(
  `in any of ${RUNS} random orders, with losses, repeats, crashes and newcomers: never too many unjudged devices, main as it was until promoted, nothing begun outside a window, and always an end that is told [rollout-1.1] [rollout-1.3] [rollout-1.4] [rollout-2.2] [rollout-3.8] [rollout-5.3] [rollout-9.1]`,
  { timeout: PATIENCE_MS },
  () => {
    const ends = new Map<string, number>();
    let followed = 0;
    fc.assert(
      fc.property(
        fc.nat(20),
        sequences,
        fc.constantFrom(...plans),
        fc.nat(3),
        (rounds, choices, plan, more) => {
          const play = new Play({ plan });
          // Trouble begins in any phase.
          for (let round = 0; round < rounds; round++) play.goodRound(round);
          for (const choice of choices) play.act(choice);
          const end = endOf(play);
          ends.set(end, (ends.get(end) ?? 0) + 1);
          // Now and then another rollout follows in the same world, with trouble of its own.
          if (more > 0) return;
          followed++;
          play.beginNext(2);
          for (let round = 0; round < rounds; round++) play.goodRound(round);
          for (const choice of choices.toReversed()) play.act(choice);
          endOf(play);
          const touched = play.touched.map(({ group, rollout }) => `${group} ${rollout}`);
          // Whoever has touched a group after another rollout is never followed by that one again.
          for (const { group } of play.touched)
            expect(touched.lastIndexOf(`${group} r1`)).toBeLessThan(
              touched.includes(`${group} r2`) ? touched.indexOf(`${group} r2`) : Infinity,
            );
        },
      ),
      {
        numRuns: RUNS,
        seed: 20,
        endOnFailure: false,
        interruptAfterTimeLimit: PATIENCE_MS,
        markInterruptAsFailure: true,
      },
    );
    // The sequences reach more than one kind of end, or they would prove little.
    expect([...ends.keys()]).toEqual(
      expect.arrayContaining(["promoted", "halted", "failed", "inconclusive", "superseded"]),
    );
    expect(followed).toBeGreaterThan(RUNS / 10);
    if (isLong)
      console.log(
        `${RUNS} orders ended ${JSON.stringify(Object.fromEntries(ends))}, ${followed} of them twice`,
      );
  },
);

/** Lets time pass until the rollout ends, and proves its end: told, resumable, and true of the devices. */
function endOf(play: Play): string {
  play.drain();
  play.restart();
  const { rollout, plan, world } = play;
  const { phase } = rollout;
  if (phase.phase !== "done") throw new Error(`${plan.rollout} has not ended: it is ${phase.phase}`);
  const told = `${plan.rollout}/notify/done`;
  if (rollout.outbox[told] === undefined && !rollout.done.includes(told))
    throw new Error(`nobody is told of the end of ${plan.rollout}`);
  const missing = new Set(phase.stragglers.map(({ thing }) => thing));
  for (const { name, devices, candidate, lastGood } of plan.targets) {
    const exposed = new Set(rollout.targets[name]?.exposed);
    for (const { thing } of devices) {
      const found = world.devices.get(thing)?.set;
      if (phase.outcome === "promoted" && !missing.has(thing) && found !== candidate.id)
        throw new Error(`${thing} of a promoted ${plan.rollout} has ${found}, and is no straggler`);
      // Rolled back and verified: whoever may have had it really has the good one.
      const isVerified = phase.outcome !== "promoted" && phase.outcome !== "failed";
      if (isVerified && exposed.has(thing) && found !== lastGood.id)
        throw new Error(`${thing} of a rolled back ${plan.rollout} has ${found}`);
    }
  }
  return phase.outcome;
}

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
            if (isDeed(action)) play.deliver(play.carryOut(action), fate());
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
