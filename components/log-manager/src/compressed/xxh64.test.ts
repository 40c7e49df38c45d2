import { expect, test } from "vitest";
import { Xxh64 } from "./xxh64.ts";

const digest = (...parts: string[]): string => {
  const hash = new Xxh64();
  for (const part of parts) hash.update(new TextEncoder().encode(part));
  return hash.digest().toString(16);
};

test.each([
  ["", "ef46db3751d8e999"],
  ["a", "d24ec4f1a98c6e5b"],
  ["abc", "44bc2cf5ad770999"],
  ["Nobody inspects the spammish repetition", "fbcea83c8a378bf1"],
])("of %j it is the published value", (text, value) => {
  expect(digest(text)).toBe(value);
});

test("it is the same in whatever pieces the bytes come", () => {
  const text = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(7);
  for (let cut = 0; cut < 70; cut++)
    expect(digest(text.slice(0, cut), text.slice(cut, 2 * cut), text.slice(2 * cut))).toBe(digest(text));
});
