import { expect, test } from "vitest";
import { awsLimits } from "./limits.ts";
import { filterFault, shareOf, topicFault } from "./topic.ts";
import { TopicTree } from "./topic-tree.ts";

test.each([
  ["a/b/c", true],
  ["$aws/things/T/shadow/name/AWSManagedGreengrassV2Deployment/update/accepted", true],
  ["$aws/things/T/jobs/$next/namespace-aws-gg-deployment/get/accepted", true],
  ["", false],
  ["a/+/c", false],
  ["a/#", false],
  ["a\0", false],
  ["1/2/3/4/5/6/7/8", true],
  ["1/2/3/4/5/6/7/8/9", false],
  ["é".repeat(128), true],
  ["é".repeat(129), false],
])("may %j be published to: %s", (topic, allowed) => {
  expect(topicFault(topic, awsLimits) === undefined).toBe(allowed);
});

test.each([
  ["#", true],
  ["a/#", true],
  ["+/b/+", true],
  ["$share/g/a/#", true],
  ["$share/g", false],
  ["$share//a", false],
  ["a/#/b", false],
  ["a#", false],
  ["a+/b", false],
  ["", false],
])("may %j be subscribed to: %s", (filter, allowed) => {
  expect(filterFault(filter, awsLimits) === undefined).toBe(allowed);
});

test("a shared subscription is a group and a filter", () => {
  expect(shareOf("$share/g/a/b")).toEqual({ group: "g", filter: "a/b" });
  expect(shareOf("a/b")).toBeUndefined();
});

test.each([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a/b/c", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["#", "a/b", true],
  ["#", "$aws/things", false],
  ["+/things", "$aws/things", false],
  ["$aws/#", "$aws/things", true],
  ["+", "/a", false],
  ["/+", "/a", true],
])("filter %j matches topic %j: %s", (filter, topic, matching) => {
  const tree = new TopicTree<string>();
  tree.set(filter, "key", "found");
  expect(tree.match(topic)).toEqual(matching ? ["found"] : []);
  tree.delete(filter, "key");
  expect(tree.match(topic)).toEqual([]);
});
