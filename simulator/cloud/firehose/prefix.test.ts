import { expect, test } from "vitest";
import { prefixAt, prefixTrouble } from "./prefix.ts";

const at = Date.parse("2030-06-01T10:20:30Z");

test.each([
  ["raw/", "raw/2030/06/01/10/"],
  ["", "2030/06/01/10/"],
  ["m/dt=!{timestamp:yyyy-MM-dd}/", "m/dt=2030-06-01/"],
  ["!{timestamp:yyyy}/!{timestamp:HH'h'mm}/", "2030/10h20/"],
])("prefix %s stands for %s", (prefix, told) => {
  expect(prefixAt(prefix, at)).toBe(told);
});

test.each([
  ["m/!{partitionKeyFromQuery:thing}/", "!{partitionKeyFromQuery:thing}"],
  ["m/!{firehose:random-string}/", "!{firehose:random-string}"],
  ["m/!{timestamp", "!{timestamp"],
])("prefix %s is refused, and named", (prefix, named) => {
  expect(prefixTrouble(prefix)).toContain(named);
});

test("times and the error's type are no trouble", () => {
  expect(prefixTrouble("e/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/")).toBeUndefined();
});
