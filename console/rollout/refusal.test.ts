import fc from "fast-check";
import { type Decision, decisions, roles } from "@coalmine/contract/operator-api";
import { expect, test } from "vitest";
import { en } from "../texts/en.ts";
import { decisionKeys, refusalOf } from "./refusal.ts";

const seen = fc.dictionary(fc.constantFrom("home", "driven"), fc.boolean(), { minKeys: 1 });

test("nobody is offered what the API would refuse them; stale or cut evidence never promotes, and still rolls back", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Decision>(...decisions),
      fc.constantFrom(...roles),
      fc.boolean(),
      seen,
      fc.option(fc.constant("it is over"), { nil: undefined }),
      (decision, role, isCut, stale, refusedBecause) => {
        const ages = Object.fromEntries(
          Object.entries(stale).map(([target, stale]) => [target, { atMs: 0, ageMs: 0, stale }]),
        );
        const choice = refusedBecause === undefined ? { decision } : { decision, refusedBecause };
        const refusal = refusalOf(choice, { role, isCut, seen: ages }, en);
        const mayDecide = role === "operator" || role === "admin";
        const isOld = decision === "promote" && Object.values(stale).includes(true);
        expect(refusal === undefined).toBe(mayDecide && !isCut && !isOld && refusedBecause === undefined);
        if (mayDecide && !isCut && isOld)
          for (const [target, is] of Object.entries(stale))
            if (is) expect(refusal?.sentence).toContain(target);
      },
    ),
  );
});

test("every decision has a letter of its own", () => {
  expect(decisionKeys.map(([decision]) => decision).sort()).toEqual([...decisions].sort());
  expect(new Set(decisionKeys.map(([, key]) => key)).size).toBe(decisions.length);
});
