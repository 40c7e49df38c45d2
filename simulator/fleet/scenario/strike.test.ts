import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { anotherThan } from "./strike.ts";

test("another one is never the same again, and each of the others may be it", () => {
  const random = new SeededRandom("another");
  const names = ["reader", "inference", "uploader", "logs"];
  const met = new Set<string>();
  let last: string | undefined;
  for (let time = 0; time < 200; time++) {
    const one = anotherThan(last, names, random);
    expect(one).not.toBe(last);
    if (one !== undefined) met.add(one);
    last = one;
  }
  expect([...met].toSorted()).toEqual(names.toSorted());
  expect(anotherThan("reader", ["reader"], random)).toBeUndefined();
  expect(anotherThan(undefined, [], random)).toBeUndefined();
});
