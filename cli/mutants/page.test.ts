import { expect, test } from "vitest";
import { pageOf } from "./page.ts";

test("a row says what stopped a release in each layer, how fast, and what was not asked", () => {
  const page = pageOf({
    "wrong-unit": {
      check: { by: null, found: "", seconds: 61.2 },
      hosted: {
        by: "what is measured is what was measured",
        found: "",
        seconds: 20.4,
        hours: 6.5,
        devices: 4,
      },
    },
  });
  expect(page).toContain("`simulator/fleet/rehearsal` with 4 devices,");
  expect(page).toContain("| – | what is measured is what was measured (20 s, 6.5 h) |  |  |");
  expect(page).toMatch(
    /Of \d+ bad releases 1 are caught before the main fleet, 1 of them in the rehearsal\./,
  );
});
