import fc from "fast-check";
import { expect, test } from "vitest";
import { everyDevice } from "../place/place.ts";
import { forgetting, NAME_CHARACTERS_MAX, SAVED_MAX, savedIn, savedText, saving } from "./saved-filters.ts";

const text = fc.string({ unit: "grapheme" });
const filter = fc.record({ text, fleet: text, cohort: text, state: text, runs: text });
const named = fc.record({ name: text, filter });

test("what is saved is there again, by name, each once, within the bound", () => {
  fc.assert(
    fc.property(fc.array(named, { maxLength: 2 * SAVED_MAX }), (ones) => {
      const saved = ones.reduce(saving, []);
      expect(savedIn(savedText(saved))).toEqual(saved);
      expect(saved.length).toBeLessThanOrEqual(SAVED_MAX);
      expect(new Set(saved.map(({ name }) => name)).size).toBe(saved.length);
      expect(saved.every(({ name }) => name.length > 0 && name.length <= NAME_CHARACTERS_MAX)).toBe(true);
    }),
  );
});

test("of two of one name the later counts; what is forgotten is gone", () => {
  const failing = { ...everyDevice, state: "failing" };
  const saved = [
    { name: "b", filter: everyDevice },
    { name: "a", filter: everyDevice },
    { name: " b ", filter: failing },
  ].reduce(saving, []);
  expect(saved).toEqual([
    { name: "a", filter: everyDevice },
    { name: "b", filter: failing },
  ]);
  expect(forgetting(saved, "a").map(({ name }) => name)).toEqual(["b"]);
});

test("whatever is kept there, a page opens", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (kept) => void savedIn(kept)));
  expect(savedIn(null)).toEqual([]);
  expect(savedIn('[["a","#/fleets"],["b",1],7,["c","#/devices?state=failing"]]')).toEqual([
    { name: "c", filter: { ...everyDevice, state: "failing" } },
  ]);
});
