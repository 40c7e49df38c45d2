import { expect, test } from "vitest";
import { ageOf } from "./age.ts";
import { staleText } from "./rollout-page.ts";

const MINUTE_MS = 60_000;
const NOW = Date.parse("2030-01-01T00:00:00Z");

test("what is older than a silence that counts, and what was never heard, is nothing to promote on", () => {
  expect(staleText({ home: ageOf(NOW - 2 * MINUTE_MS, NOW) })).toBeUndefined();
  expect(
    staleText({ home: ageOf(NOW, NOW), driven: ageOf(NOW - 4 * MINUTE_MS, NOW), far: ageOf(0, NOW) }),
  ).toBe(
    "what is seen of driven is 4 min old and of far is nothing, which is too old to promote on: see to its connection first",
  );
});
