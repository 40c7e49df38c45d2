import fc from "fast-check";
import { expect, test } from "vitest";
import {
  NO_PREVIOUS,
  type RolloutRecord,
  storedEntry,
  verifyAudit,
} from "../../pipeline/controller/audit.ts";
import { verifyChain } from "./chain.ts";

const rollout = "r-1";
const entries = (() => {
  let previous = NO_PREVIOUS;
  return Array.from({ length: 6 }, (_, sequence) => {
    const record: RolloutRecord = { kind: "told", evidence: [], now: { home: sequence } };
    const entry = storedEntry({ rollout, sequence, previous, atMs: 1000 * sequence, record });
    previous = entry.sha256;
    return entry;
  });
})();

test("the browser finds a log whole where the controller does, with the same head", async () => {
  expect(await verifyChain({ rollout, entries })).toEqual({
    kind: "whole",
    entries: 6,
    head: entries.at(-1)?.sha256,
  });
});

test("whatever byte of a log is changed, and whatever entry is dropped, the browser finds it as the controller does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5), fc.nat(10_000), fc.boolean(), async (at, place, isDropped) => {
      const changed = entries.flatMap((entry, index) => {
        if (index !== at) return [entry];
        const cut = place % entry.text.length;
        const text = `${entry.text.slice(0, cut)}~${entry.text.slice(cut + 1)}`;
        return isDropped ? [] : [{ ...entry, text }];
      });
      // Without its last entry a log is a whole, shorter one: only a head that was written down elsewhere shows that.
      fc.pre(!isDropped || at < 5);
      const found = await verifyChain({ rollout, entries: changed });
      const theirs = verifyAudit(changed);
      expect([found.kind, found.kind === "broken" && found.sequence]).toEqual([
        "broken",
        !theirs.ok && theirs.sequence,
      ]);
    }),
    { numRuns: 40 },
  );
});
