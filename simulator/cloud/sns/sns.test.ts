import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  InvalidParameterException,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  NotFoundException,
  PublishBatchCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
  type PublishCommandInput,
} from "@aws-sdk/client-sns";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Input } from "../service.ts";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

const functionArn = "arn:aws:lambda:us-east-1:123456789012:function:hear";
let cloud: TestCloud;
let sns: SNSClient;
let heard: Input[];
let failures: number;
let TopicArn: string;

beforeEach(async () => {
  heard = [];
  failures = 0;
  cloud = await startTestCloud({
    functions: {
      hear: (event) => {
        if (failures-- > 0) throw new Error("not yet");
        heard.push(event);
      },
    },
  });
  sns = new SNSClient(cloud.client);
  ({ TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "alerts" })));
});
afterEach(async () => {
  sns.destroy();
  await cloud.close();
});

const publish = (more: Partial<PublishCommandInput> = {}) =>
  sns.send(new PublishCommand({ TopicArn, Message: "too thick <&>", ...more }));
const subscribe = (Protocol: string, Endpoint: string, Attributes?: Record<string, string>) =>
  sns.send(new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true }));

test("a topic is made once, told of, and deleted with its subscriptions", async () => {
  expect(TopicArn).toBe("arn:aws:sns:us-east-1:123456789012:alerts");
  expect((await sns.send(new CreateTopicCommand({ Name: "alerts" }))).TopicArn).toBe(TopicArn);
  await sns.send(
    new SetTopicAttributesCommand({
      TopicArn,
      AttributeName: "DisplayName",
      AttributeValue: "Alerts & more",
    }),
  );
  await subscribe("lambda", functionArn);
  expect((await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes).toMatchObject({
    DisplayName: "Alerts & more",
    SubscriptionsConfirmed: "1",
    SubscriptionsPending: "0",
  });
  expect((await sns.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn }]);
  await sns.send(new DeleteTopicCommand({ TopicArn }));
  await expect(publish()).rejects.toBeInstanceOf(NotFoundException);
  await expect(sns.send(new CreateTopicCommand({ Name: "a.fifo" }))).rejects.toThrow(/FIFO/);
});

test("a function gets the record that a Lambda function gets", async () => {
  const { SubscriptionArn } = await subscribe("lambda", functionArn);
  const { MessageId } = await publish({
    Subject: "hot",
    MessageAttributes: { site: { DataType: "String", StringValue: "north" } },
  });
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  expect(heard[0]).toEqual({
    Records: [
      {
        EventSource: "aws:sns",
        EventVersion: "1.0",
        EventSubscriptionArn: SubscriptionArn,
        Sns: {
          Type: "Notification",
          MessageId,
          TopicArn,
          Subject: "hot",
          Message: "too thick <&>",
          Timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
          UnsubscribeURL: expect.any(String),
          MessageAttributes: { site: { Type: "String", Value: "north" } },
        },
      },
    ],
  });
});

test("a delivery that fails is tried again", async () => {
  failures = 2;
  await subscribe("lambda", functionArn);
  await publish();
  await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 5000 });
});

test("filter policies look at attributes or at the body", async () => {
  const { SubscriptionArn } = await subscribe("lambda", functionArn, {
    FilterPolicy: JSON.stringify({ site: ["north"], level: [{ numeric: [">=", 3] }] }),
  });
  const level = (StringValue: string) => ({ DataType: "Number", StringValue });
  const site = { DataType: "String.Array", StringValue: '["north", "east"]' };
  await publish();
  await publish({ MessageAttributes: { site, level: level("2") } });
  await publish({ Message: "passes", MessageAttributes: { site, level: level("3") } });
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }));
  await set("FilterPolicyScope", "MessageBody");
  await set("FilterPolicy", JSON.stringify({ state: ["ALARM"] }));
  await publish({ Message: '{"state":"OK"}' });
  await publish({ Message: '{"state":"ALARM"}' });
  await vi.waitFor(() => expect(heard).toHaveLength(2));
  expect(heard.map((event) => event.Records[0].Sns.Message)).toEqual(["passes", '{"state":"ALARM"}']);
  await expect(set("FilterPolicy", '{"a": "b"}')).rejects.toBeInstanceOf(InvalidParameterException);
  await expect(set("RedrivePolicy", "{}")).rejects.toBeInstanceOf(InvalidParameterException);
});

test("an HTTP endpoint on this machine confirms, and then gets notifications, raw if it likes", async () => {
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      got.push({ headers: request.headers, body });
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  try {
    const { SubscriptionArn } = await subscribe("http", endpoint);
    await vi.waitFor(() => expect(got).toHaveLength(1));
    await publish({ Message: "not heard" });
    const asked: Input = JSON.parse(got[0]?.body ?? "");
    expect(got[0]?.headers["x-amz-sns-message-type"]).toBe("SubscriptionConfirmation");
    await expect(sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: "x" }))).rejects.toThrow(/Token/);
    await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: asked.Token }));
    await publish();
    await vi.waitFor(() => expect(got).toHaveLength(2));
    expect(JSON.parse(got[1]?.body ?? "")).toMatchObject({
      Type: "Notification",
      TopicArn,
      Message: "too thick <&>",
    });
    await sns.send(
      new SetSubscriptionAttributesCommand({
        SubscriptionArn,
        AttributeName: "RawMessageDelivery",
        AttributeValue: "true",
      }),
    );
    await publish({ Message: "raw" });
    await vi.waitFor(() => expect(got).toHaveLength(3));
    expect(got[2]).toMatchObject({ body: "raw", headers: { "x-amz-sns-rawdelivery": "true" } });
    const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
    expect(Attributes).toMatchObject({ Endpoint: endpoint, PendingConfirmation: "false" });
    await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    const { Subscriptions } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions).toEqual([]);
  } finally {
    server.close();
  }
  await expect(subscribe("https", "https://example.com/hook")).rejects.toThrow(/loopback/);
  await expect(subscribe("http", "http://localhost.example.com/")).rejects.toThrow(/loopback/);
  await expect(subscribe("sqs", "arn:aws:sqs:us-east-1:123456789012:q")).rejects.toBeInstanceOf(
    InvalidParameterException,
  );
});

test("what would be a mail is a line in a log group, in its protocol's own words", async () => {
  await subscribe("email", "ops@example.com");
  await publish({
    Subject: "hot",
    MessageStructure: "json",
    Message: JSON.stringify({ default: "d", email: "Dear ops", lambda: "{}" }),
  });
  const logs = new CloudWatchLogsClient(cloud.client);
  await vi.waitFor(async () => {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: "/aws/sns/email" }));
    expect(events.map((event) => JSON.parse(event.message ?? ""))).toEqual([
      { to: "ops@example.com", subject: "hot", text: "Dear ops" },
    ]);
  });
  logs.destroy();
});

test("a batch takes what it can and says what it could not", async () => {
  await subscribe("lambda", functionArn);
  const { Successful, Failed } = await sns.send(
    new PublishBatchCommand({
      TopicArn,
      PublishBatchRequestEntries: [
        { Id: "a", Message: "one" },
        { Id: "b", Message: "x".repeat(256 * 1024 + 1) },
        { Id: "c", Message: "two" },
      ],
    }),
  );
  expect(Successful?.map((entry) => entry.Id)).toEqual(["a", "c"]);
  expect(Failed).toMatchObject([{ Id: "b", Code: "InvalidParameterException", SenderFault: true }]);
  await vi.waitFor(() => expect(heard).toHaveLength(2));
});

test.each([
  [{ Message: "" }, /Empty message/],
  [{ Message: "x".repeat(256 * 1024 + 1) }, /too long/],
  [{ Message: "{}", MessageStructure: "json" }, /No default entry/],
  [{ Subject: "a\nb" }, /Subject/],
  [{ Subject: "x".repeat(101) }, /Subject/],
  [{ MessageAttributes: { a: { DataType: "Blob", StringValue: "x" } } }, /MessageAttributes/],
])("%.60j is refused", async (more, message) => {
  await expect(publish(more)).rejects.toThrow(message);
});
