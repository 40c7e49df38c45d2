import { expect, test } from "vitest";
import { resourcePattern, type Lookup } from "./resource-pattern.ts";

const cases: readonly [Lookup, string, string, boolean][] = [
  ["STANDARD", "a/*", "a/b/c", true],
  ["STANDARD", "a/*", "a/", true],
  ["STANDARD", "a/*", "a", false],
  ["STANDARD", "*b*", "xxbyy", true],
  ["STANDARD", "a/#", "a/b", false],
  ["STANDARD", "a/#", "a/#", true],
  ["STANDARD", "a/+", "a/+", true],
  ["STANDARD", "a${*}b", "a*b", true],
  ["STANDARD", "a${*}b", "axb", false],
  ["STANDARD", "a$b", "a$b", true],
  ["STANDARD", "a.b", "axb", false],
  ["MQTT_STYLE", "a/#", "a", true],
  ["MQTT_STYLE", "a/#", "a/b/c", true],
  ["MQTT_STYLE", "a/#", "ab", false],
  ["MQTT_STYLE", "#", "anything/at/all", true],
  ["MQTT_STYLE", "a/+/c", "a/b/c", true],
  ["MQTT_STYLE", "a/+/c", "a/b/b/c", false],
  ["MQTT_STYLE", "a/+/c", "a/+/c", true],
  ["MQTT_STYLE", "a/x+/c", "a/x+/c", true],
  ["MQTT_STYLE", "a/x+/c", "a/xy/c", false],
];

test.each(cases)("%s: policy %s for %s is %s [core-device-8.2]", (lookup, policy, asked, expected) => {
  expect(resourcePattern(policy, lookup)?.test(asked)).toBe(expected);
});

test.each(["a?b", "${x}", "${*", ""])("%s is no resource [core-device-8.3]", (resource) => {
  expect(resourcePattern(resource, "STANDARD")).toBeUndefined();
});
