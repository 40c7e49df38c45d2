import { expect, test } from "vitest";
import { tokenIn } from "./token.ts";

test("the token of a printed link is found wherever the link has it, and nowhere else", () => {
  expect(tokenIn({ hash: "#/enter?token=abc", search: "" })).toBe("abc");
  expect(tokenIn({ hash: "#token=a-b_c", search: "" })).toBe("a-b_c");
  expect(tokenIn({ hash: "", search: "?token=abc" })).toBe("abc");
  expect(tokenIn({ hash: "#/devices?text=token", search: "" })).toBeUndefined();
  expect(tokenIn({ hash: "#/rollouts/token=1", search: "?token=" })).toBeUndefined();
});
