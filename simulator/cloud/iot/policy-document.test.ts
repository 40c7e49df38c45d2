import { expect, test } from "vitest";
import { compilePolicy, isAllowed } from "./policy-document.ts";

const at = "arn:aws:iot:us-east-1:123456789012:";
const statement = (
  effect: string,
  action: string | string[],
  resource: string | string[],
  condition?: object,
) => ({
  Effect: effect,
  Action: action,
  Resource: resource,
  ...(condition === undefined ? {} : { Condition: condition }),
});
const asks = (
  statements: object[],
  action: string,
  resource: string,
  variables: Record<string, string | undefined> = {},
): boolean =>
  isAllowed(compilePolicy(JSON.stringify({ Version: "2012-10-17", Statement: statements })), {
    action,
    resource: `${at}${resource}`,
    variables,
  });

const thing = { "iot:Connection.Thing.ThingName": "core-1", "iot:ClientId": "core-1" };

test.each([
  ["nothing allows nothing", [], "iot:Connect", "client/a", false],
  ["the named action", [statement("Allow", "iot:Connect", `${at}client/a`)], "iot:Connect", "client/a", true],
  ["another action", [statement("Allow", "iot:Connect", "*")], "iot:Publish", "topic/a", false],
  ["all actions", [statement("Allow", "iot:*", "*")], "iot:Publish", "topic/a", true],
  [
    "one of several",
    [statement("Allow", ["iot:Receive", "iot:Publish"], "*")],
    "iot:Publish",
    "topic/a",
    true,
  ],
  [
    "a star over slashes",
    [statement("Allow", "iot:Publish", `${at}topic/a/*`)],
    "iot:Publish",
    "topic/a/b/c",
    true,
  ],
  [
    "a question mark",
    [statement("Allow", "iot:Publish", `${at}topic/a?c`)],
    "iot:Publish",
    "topic/abc",
    true,
  ],
  [
    "a question mark is one",
    [statement("Allow", "iot:Publish", `${at}topic/a?c`)],
    "iot:Publish",
    "topic/ac",
    false,
  ],
  [
    "plus is itself",
    [statement("Allow", "iot:Subscribe", `${at}topicfilter/a/+`)],
    "iot:Subscribe",
    "topicfilter/a/b",
    false,
  ],
  [
    "plus is itself, given",
    [statement("Allow", "iot:Subscribe", `${at}topicfilter/a/+`)],
    "iot:Subscribe",
    "topicfilter/a/+",
    true,
  ],
  [
    "deny wins",
    [statement("Allow", "iot:*", "*"), statement("Deny", "iot:Publish", `${at}topic/x*`)],
    "iot:Publish",
    "topic/x1",
    false,
  ],
  [
    "deny elsewhere",
    [statement("Allow", "iot:*", "*"), statement("Deny", "iot:Publish", `${at}topic/x*`)],
    "iot:Publish",
    "topic/y1",
    true,
  ],
  [
    "the thing's name",
    [statement("Allow", "iot:Connect", `${at}client/\${iot:Connection.Thing.ThingName}*`)],
    "iot:Connect",
    "client/core-1#2",
    true,
  ],
  [
    "another's name",
    [statement("Allow", "iot:Connect", `${at}client/\${iot:Connection.Thing.ThingName}`)],
    "iot:Connect",
    "client/core-2",
    false,
  ],
  [
    "the client id",
    [statement("Allow", "iot:Publish", `${at}topic/from/\${iot:ClientId}`)],
    "iot:Publish",
    "topic/from/core-1",
    true,
  ],
  [
    "an unknown variable",
    [statement("Allow", "iot:Publish", "*"), statement("Allow", "iot:Publish", `${at}topic/\${iot:Other}`)],
    "iot:Connect",
    "topic/",
    false,
  ],
  [
    "a condition that holds",
    [statement("Allow", "iot:*", "*", { StringEquals: { "iot:ClientId": "core-1" } })],
    "iot:Connect",
    "client/core-1",
    true,
  ],
  [
    "a condition that does not",
    [statement("Allow", "iot:*", "*", { StringLike: { "iot:ClientId": ["x*"] } })],
    "iot:Connect",
    "client/core-1",
    false,
  ],
] as const)("a policy decides: %s", (_name, statements, action, resource, allowed) => {
  expect(asks([...statements, statement("Deny", "never:Asked", "*")], action, resource, thing)).toBe(allowed);
});

test("a client id cannot make itself a wildcard", () => {
  const policy = [statement("Allow", "iot:Publish", `${at}topic/\${iot:ClientId}/x`)];
  expect(asks(policy, "iot:Publish", "topic/victim/x", { "iot:ClientId": "*" })).toBe(false);
});

test.each([
  ["not JSON", "{"],
  ["another effect", { Statement: [{ Effect: "Perhaps", Action: "a", Resource: "*" }] }],
  ["NotAction", { Statement: [{ Effect: "Allow", NotAction: "a", Resource: "*" }] }],
  [
    "an unknown condition",
    { Statement: [{ ...statement("Allow", "a", "*"), Condition: { IpAddress: { a: "b" } } }] },
  ],
  ["too long", { Statement: [statement("Allow", "a", "x".repeat(2048))] }],
])("what cannot be enforced is refused: %s", (_name, document) => {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  expect(() => compilePolicy(text)).toThrow(/malformed/);
});
