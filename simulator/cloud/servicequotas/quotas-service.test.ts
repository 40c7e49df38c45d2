import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ListAWSDefaultServiceQuotasCommand,
  ListServiceQuotasCommand,
  ListServicesCommand,
  paginateListServiceQuotas,
  ServiceQuotasClient,
} from "@aws-sdk/client-service-quotas";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

let cloud: TestCloud;
let client: ServiceQuotasClient;
beforeAll(async () => {
  cloud = await startTestCloud();
  client = new ServiceQuotasClient(cloud.client);
});
afterAll(async () => {
  client.destroy();
  await cloud.close();
});

test("a quota is told with its value here, and with AWS's default", async () => {
  const asked = { ServiceCode: "iotcore", QuotaCode: "L-45957C13" };
  expect((await client.send(new GetServiceQuotaCommand(asked))).Quota).toEqual({
    ...asked,
    ServiceName: "AWS IoT Core",
    QuotaArn: "arn:aws:servicequotas:us-east-1:123456789012:iotcore/L-45957C13",
    QuotaName: "Subscriptions per connection",
    Value: 50,
    Unit: "None",
    Adjustable: true,
    GlobalQuota: false,
  });
  const topics = { ServiceCode: "sns", QuotaCode: "L-61103206" };
  expect((await client.send(new GetServiceQuotaCommand(topics))).Quota?.Value).toBe(1000);
  expect((await client.send(new GetAWSDefaultServiceQuotaCommand(topics))).Quota?.Value).toBe(100_000);
});

test("a quota is the number that refuses", async () => {
  const { Quota } = await client.send(
    new GetServiceQuotaCommand({ ServiceCode: "sns", QuotaCode: "L-61103206" }),
  );
  const invoke = (n: number) => cloud.cloud.invoke("sns", "CreateTopic", { Name: `t${n}` });
  for (let n = 0; n < (Quota?.Value ?? 0); n++) await invoke(n);
  const sns = new SNSClient(cloud.client);
  await expect(sns.send(new CreateTopicCommand({ Name: "one-more" }))).rejects.toMatchObject({
    name: "TopicLimitExceededException",
  });
  sns.destroy();
});

test("services and their quotas are listed by pages", async () => {
  const { Services = [] } = await client.send(new ListServicesCommand({}));
  expect(Services.map(({ ServiceCode }) => ServiceCode)).toEqual(["events", "iot", "iotcore", "sns"]);
  const codes: unknown[] = [];
  const pages = paginateListServiceQuotas({ client, pageSize: 4 }, { ServiceCode: "iotcore" });
  for await (const { Quotas = [] } of pages) codes.push(...Quotas.map(({ QuotaCode }) => QuotaCode));
  const { Quotas = [] } = await client.send(
    new ListAWSDefaultServiceQuotasCommand({ ServiceCode: "iotcore" }),
  );
  expect(codes).toHaveLength(6);
  expect(codes).toEqual(Quotas.map(({ QuotaCode }) => QuotaCode));
});

test("what is not there is refused by the client's own exceptions", async () => {
  await expect(client.send(new ListServiceQuotasCommand({ ServiceCode: "lambda" }))).rejects.toMatchObject({
    name: "NoSuchResourceException",
  });
  await expect(
    client.send(new GetServiceQuotaCommand({ ServiceCode: "sns", QuotaCode: "L-00000000" })),
  ).rejects.toMatchObject({ name: "NoSuchResourceException" });
  await expect(
    client.send(new ListServiceQuotasCommand({ ServiceCode: "sns", NextToken: "x" })),
  ).rejects.toMatchObject({ name: "InvalidPaginationTokenException" });
});
