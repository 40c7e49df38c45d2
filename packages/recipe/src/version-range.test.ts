import { expect, test } from "vitest";
import { compareVersions, isRange, maxSatisfying, satisfies } from "./index.ts";

test.each([
  ["1.0.0", "1.0.0", true],
  ["1.9.0", "^1.0.0", true],
  ["2.0.0", "^1.0.0", false],
  ["1.2.9", "~1.2", true],
  ["1.3.0", "~1.2", false],
  ["1.5.0", ">=1.0.0 <2.0.0", true],
  ["1.5.0", "1.x", true],
  ["3.0.0", "^1.0.0 || ^3.0.0", true],
  ["1.5.0", "1.0.0 - 2.0.0", true],
  ["7.0.0", "*", true],
  ["7.0.0", "", true],
  ["7.0.0-rc.1", "*", false],
  ["1.2.3-rc.2", ">=1.2.3-rc.1", true],
  ["1.2.4-rc.2", ">=1.2.3-rc.1", false],
  ["not a version", "*", false],
  ["1.0.0", "not a range", false],
])("%s within %j: %s [core-device-12.4]", (version, range, expected) => {
  expect(satisfies(version, range)).toBe(expected);
});

test("a range is told from what is none", () => {
  expect([isRange("^1.0.0"), isRange(""), isRange("one")]).toEqual([true, true, false]);
});

test("the highest version that fits is found, of one range or of several together [core-device-12.4]", () => {
  const versions = ["1.10.0", "1.9.0", "2.0.0", "2.1.0-rc.1"];
  expect(maxSatisfying(versions, "*")).toBe("2.0.0");
  expect(maxSatisfying(versions, ["*", "^1.0.0"])).toBe("1.10.0");
  expect(maxSatisfying(versions, ["^1.0.0", "^2.0.0"])).toBeUndefined();
});

test("versions are in order of precedence, also where only the build differs", () => {
  const ordered = ["1.0.0-rc.1", "1.0.0", "1.0.0+1", "1.0.0+2", "1.10.0"];
  expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
});
