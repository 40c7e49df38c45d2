import { expect, test } from "vitest";
import { parsePushes } from "./receive.ts";

const zero = "0".repeat(40);
const one = "1".repeat(40);

test("a push is a branch that has a commit; removed branches and tags are not", () => {
  const lines = [
    `${zero} ${one} refs/heads/main`,
    `${one} ${zero} refs/heads/old`,
    `${zero} ${one} refs/tags/v1`,
    `${one} ${one} refs/heads/try/x`,
  ];
  expect(parsePushes(`${lines.join("\n")}\n`)).toEqual([
    { branch: "main", commit: one },
    { branch: "try/x", commit: one },
  ]);
});
