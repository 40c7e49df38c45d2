import { expect, test } from "vitest";
import { percent, withRows } from "./figures.ts";

const table = { title: "Halted", keys: 2, columns: ["fleet", "looks", "share"] };

test("rows of the same keys are replaced, others stay, and numbers sort as numbers", () => {
  const once = withRows("", table, [
    ["F1", 288, percent(0.01)],
    ["F1", 48, percent(0.005)],
  ]);
  const twice = withRows(
    withRows(once, { ...table, title: "Found" }, [
      ["F2", 1.5, "1 %"],
      ["F2", 1.25, "2 %"],
    ]),
    table,
    [["F1", 288, percent(0.0125)]],
  );
  expect(twice.slice(twice.indexOf("## "))).toBe(`## Found

| fleet | looks | share |
| --- | --- | --- |
| F2 | 1.25 | 2 % |
| F2 | 1.5 | 1 % |

## Halted

| fleet | looks | share |
| --- | --- | --- |
| F1 | 48 | 0.5 % |
| F1 | 288 | 1.25 % |
`);
  expect(withRows(twice, table, [])).toBe(twice);
});
