import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ERRORS_PAGE, errorsPage } from "./error-table.ts";

test("docs/errors.md lists every code (run `npm run errors`)", () => {
  expect(readFileSync(ERRORS_PAGE, "utf8")).toBe(errorsPage());
});

test("every code is said in a sentence", () => {
  const silent = errorsPage()
    .split("\n")
    .filter((line) => line.startsWith("| `ERR_") && line.includes("|  |"));
  expect(silent).toEqual([]);
});
