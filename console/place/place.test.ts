import fc from "fast-check";
import { expect, test } from "vitest";
import { linkTo, type Place, placeOf } from "./place.ts";

const word = fc.string({ minLength: 1, unit: "grapheme" });
const text = fc.string({ unit: "grapheme" });
const filter = fc.record({ text, fleet: text, cohort: text, state: text, runs: text });
const asked = fc.record({ rollout: text, who: text, text, people: text });
const place: fc.Arbitrary<Place> = fc.oneof(
  fc.constantFrom<Place>(
    { page: "fleets" },
    { page: "rollouts" },
    { page: "rehearsals" },
    { page: "alarms" },
  ),
  filter.map((filter): Place => ({ page: "devices", filter })),
  fc.tuple(word, word).map(([thing, line]): Place => ({ page: "device", thing, line })),
  word.map((fleet): Place => ({ page: "fleets", fleet })),
  word.map((rollout): Place => ({ page: "rollout", rollout, metric: rollout })),
  fc
    .tuple(word, word)
    .map(([rollout, to]): Place => ({ page: "rollout", rollout, metric: to, from: "7", to })),
  asked.map((asked): Place => ({ page: "audit", asked })),
  word.map((commit): Place => ({ page: "rehearsal", commit })),
);

test("every place has a link that leads back to it", () => {
  fc.assert(
    fc.property(place, (somewhere) => {
      expect(placeOf(linkTo(somewhere))).toEqual(somewhere);
    }),
  );
});

test("what leads nowhere says so, whatever it is", () => {
  expect(placeOf("")).toEqual({ page: "fleets" });
  expect(placeOf("#/nothing/of/it")).toMatchObject({ page: "lost" });
  expect(placeOf("#/devices/")).toMatchObject({ page: "lost" });
  fc.assert(fc.property(fc.string(), (fragment) => void placeOf(fragment)));
});
