import { silentLog } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { ConfigurationTree } from "../configuration/tree.ts";
import { AccessControl } from "./access-control.ts";

test("what was decided is thought through anew when the policies change", () => {
  const tree = new ConfigurationTree();
  const access = new AccessControl(tree, silentLog);
  const may = (topic: string): boolean =>
    access.isAllowed("A", "pubsub", "PublishToTopic", topic, "STANDARD");
  const policies = (resources: string[], timestamp: number): void =>
    tree.merge(
      ["services", "A", "configuration", "accessControl"],
      { pubsub: { one: { operations: ["aws.greengrass#PublishToTopic"], resources } } },
      timestamp,
    );
  expect(may("a/b")).toBe(false);
  policies(["a/*"], 1);
  expect([may("a/b"), may("a/b"), may("b")]).toEqual([true, true, false]);
  policies(["b"], 2);
  expect([may("a/b"), may("b")]).toEqual([false, true]);
  tree.remove(["services", "A"], 3);
  expect(may("b")).toBe(false);
});
