import {
  DeleteTopicRuleCommand,
  DisableTopicRuleCommand,
  EnableTopicRuleCommand,
  GetTopicRuleCommand,
  ListTopicRulesCommand,
  ReplaceTopicRuleCommand,
  ResourceAlreadyExistsException,
  SqlParseException,
  UnauthorizedException,
} from "@aws-sdk/client-iot";
import { expect, test } from "vitest";
import {
  aCloudForEachTest,
  roleArn,
  START,
  called,
  cloud,
  clock,
  iot,
  rule,
  publish,
  hear,
  device,
  restart,
} from "./rules-rig.ts";

aCloudForEachTest();

test("a rule is created, told, listed, replaced, disabled, enabled and deleted", async () => {
  const errorAction = { republish: { roleArn, topic: "errors" } };
  await rule("Hot", "SELECT * FROM 'site/+/t'", [hear()], { description: "hot ones", errorAction });
  await rule("Other", "SELECT * FROM 'x'", [hear()], { ruleDisabled: true });
  await expect(rule("Hot", "SELECT 1 FROM 'x'", [hear()])).rejects.toBeInstanceOf(
    ResourceAlreadyExistsException,
  );
  const { rule: told, ruleArn } = await iot.send(new GetTopicRuleCommand({ ruleName: "Hot" }));
  expect(ruleArn).toBe("arn:aws:iot:us-east-1:123456789012:rule/Hot");
  expect(told).toEqual({
    ruleName: "Hot",
    sql: "SELECT * FROM 'site/+/t'",
    description: "hot ones",
    actions: [hear()],
    errorAction,
    awsIotSqlVersion: "2016-03-23",
    ruleDisabled: false,
    createdAt: new Date(START),
  });
  const list = async (topic?: string, ruleDisabled?: boolean) =>
    (await iot.send(new ListTopicRulesCommand({ topic, ruleDisabled }))).rules?.map((one) => one.ruleName);
  expect(await list()).toEqual(["Hot", "Other"]);
  expect(await list("x")).toEqual(["Other"]);
  expect(await list(undefined, true)).toEqual(["Other"]);
  const first = await iot.send(new ListTopicRulesCommand({ maxResults: 1 }));
  expect(first.rules).toMatchObject([{ ruleName: "Hot", topicPattern: "site/+/t", ruleDisabled: false }]);
  const { nextToken } = first;
  expect((await iot.send(new ListTopicRulesCommand({ nextToken }))).rules).toMatchObject([
    { ruleName: "Other" },
  ]);

  await iot.send(new DisableTopicRuleCommand({ ruleName: "Hot" }));
  await publish("site/a/t", { t: 1 });
  await iot.send(new EnableTopicRuleCommand({ ruleName: "Hot" }));
  await publish("site/a/t", { t: 2 });
  const topicRulePayload = { sql: "SELECT t FROM 'y/#'", actions: [hear()] };
  await iot.send(new ReplaceTopicRuleCommand({ ruleName: "Hot", topicRulePayload }));
  await publish("site/a/t", { t: 3 });
  await publish("y/z", { t: 4, u: 5 });
  await clock.settle();
  expect(called).toEqual([{ t: 2 }, { t: 4 }]);
  await iot.send(new DeleteTopicRuleCommand({ ruleName: "Hot" }));
  await publish("y/z", { t: 6 });
  await clock.settle();
  expect(called).toHaveLength(2);
  for (const Command of [GetTopicRuleCommand, DeleteTopicRuleCommand, EnableTopicRuleCommand])
    await expect(iot.send(new Command({ ruleName: "Hot" }))).rejects.toBeInstanceOf(UnauthorizedException);
});

test("what is no rule is refused when it is made", async () => {
  const sql = "SELECT * FROM 'x'";
  await expect(rule("a", "SELECT * FROM", [hear()])).rejects.toBeInstanceOf(SqlParseException);
  await expect(rule("a", "SELECT * FROM 'a/#/b'", [hear()])).rejects.toThrow("wildcard in the wrong place");
  await expect(
    rule("a", sql, [{ s3: { roleArn, bucketName: "b", key: "${topic(" } }]),
  ).rejects.toBeInstanceOf(SqlParseException);
  await expect(rule("a-b", sql, [hear()])).rejects.toThrow(/ruleName/);
  await expect(
    rule(
      "a",
      sql,
      Array.from({ length: 11 }, () => hear()),
    ),
  ).rejects.toThrow(/actions/);
  await expect(rule("a", sql, [{ sqs: { roleArn, queueUrl: "q" } }])).rejects.toThrow(
    /exactly one of .*; given: sqs/,
  );
});

test("messages of MQTT clients and of the data plane go through rules, with who sent them", async () => {
  const sql = "SELECT v, clientid() AS c, topic(1) AS t, principal() AS p FROM 'in/#' WHERE v > 1";
  await rule("all", sql, [hear()]);
  const rheo = await device("rheo-1");
  rheo.publish("in/a", JSON.stringify({ v: 1 }));
  rheo.publish("in/a", JSON.stringify({ v: 2 }));
  await clock.settle();
  await publish("in/b", { v: 3 });
  await clock.settle();
  const [certificateId] = cloud.cloud.iot.iot.things.principals.rightOf("rheo-1");
  expect(called).toEqual([
    { v: 2, c: "rheo-1", t: "in", p: certificateId },
    { v: 3, c: "n/a", t: "in" },
  ]);
});

test("Basic Ingest runs the one rule that it names, and no subscriber hears it", async () => {
  await rule("one", "SELECT topic() AS t FROM 'elsewhere'", [hear()]);
  await rule("two", "SELECT 2 AS two FROM '#'", [hear()]);
  await rule("off", "SELECT 1 AS off", [hear()], { ruleDisabled: true });
  const rheo = await device("rheo-1");
  await clock.settle();
  called.length = 0;
  rheo.subscribe("#");
  rheo.publish("$aws/rules/one/site/a", "{}");
  rheo.publish("$aws/rules/off/site/a", "{}");
  await clock.settle();
  expect(called).toEqual([{ t: "site/a" }]);
  expect(rheo.payloads).toEqual([]);
});

test("presence and shadow answers go through rules too", async () => {
  await rule("presence", "SELECT eventType AS e FROM '$aws/events/presence/+/+'", [hear()]);
  await rule("shadow", "SELECT state.reported.t FROM '$aws/things/+/shadow/update/accepted'", [hear()]);
  const rheo = await device("rheo-1");
  rheo.publish("$aws/things/rheo-1/shadow/update", JSON.stringify({ state: { reported: { t: 37 } } }));
  await clock.settle();
  expect(called).toEqual([{ e: "connected" }, { t: 37 }]);
});

test("rules are there again after a restart", async () => {
  await rule("kept", "SELECT v FROM 'in/+'", [hear()]);
  await restart();
  await publish("in/a", { v: 7 });
  await clock.settle();
  expect(called).toEqual([{ v: 7 }]);
});

test("a payload nested beyond what a walk can stand is passed on as its bytes", async () => {
  await rule("deep", "SELECT * FROM 'in' WHERE isUndefined(v)", [hear()]);
  await publish("in", `${"[".repeat(50_000)}${"]".repeat(50_000)}`);
  await clock.settle();
  expect(called).toMatchObject([expect.any(Uint8Array)]);
});
