import {
  CreateJobCommand,
  CreateJobTemplateCommand,
  DeleteJobTemplateCommand,
  DescribeJobCommand,
  DescribeJobTemplateCommand,
  GetJobDocumentCommand,
  IoTClient,
  ListJobTemplatesCommand,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

let cloud: TestCloud;
let iot: IoTClient;
beforeAll(async () => {
  cloud = await startTestCloud();
  iot = new IoTClient(cloud.client);
  await cloud.cloud.invoke("iot", "CreateThing", { thingName: "press" });
});
afterAll(async () => {
  iot.destroy();
  await cloud.close();
});

const targets = ["arn:aws:iot:us-east-1:123456789012:thing/press"];
const document = JSON.stringify({ to: "do" });
const configs = {
  timeoutConfig: { inProgressTimeoutInMinutes: 5 },
  jobExecutionsRetryConfig: { criteriaList: [{ failureType: "ALL" as const, numberOfRetries: 3 }] },
};
const create = (jobTemplateId: string, more: object) =>
  iot.send(new CreateJobTemplateCommand({ jobTemplateId, description: "a template", ...more }));
const createJob = (jobId: string, more: object) =>
  iot.send(new CreateJobCommand({ jobId, targets, ...more }));
const job = async (jobId: string) => (await iot.send(new DescribeJobCommand({ jobId }))).job;

test("a job is made from a template, whose settings count where it has none of its own", async () => {
  const maintenanceWindows = [{ startTime: "cron(0 10 * * ? *)", durationInMinutes: 30 }];
  const { jobTemplateArn } = await create("update", { document, maintenanceWindows, ...configs });
  expect(jobTemplateArn).toBe("arn:aws:iot:us-east-1:123456789012:jobtemplate/update");
  expect(await iot.send(new DescribeJobTemplateCommand({ jobTemplateId: "update" }))).toMatchObject({
    jobTemplateArn,
    description: "a template",
    document,
    maintenanceWindows,
    createdAt: expect.any(Date),
    ...configs,
  });
  await createJob("made", { jobTemplateArn, timeoutConfig: { inProgressTimeoutInMinutes: 9 } });
  expect(await job("made")).toMatchObject({
    jobTemplateArn,
    description: "a template",
    timeoutConfig: { inProgressTimeoutInMinutes: 9 },
    jobExecutionsRetryConfig: configs.jobExecutionsRetryConfig,
    schedulingConfig: { maintenanceWindows },
  });
  expect((await iot.send(new GetJobDocumentCommand({ jobId: "made" }))).document).toBe(document);
  await expect(createJob("both", { jobTemplateArn, document })).rejects.toThrow(
    "The document is the job template's",
  );
});

test("a template is made like a job, listed and deleted; jobs made from it stay", async () => {
  await createJob("first", { document, ...configs });
  const { jobTemplateArn } = await create("like-first", {
    jobArn: "arn:aws:iot:us-east-1:123456789012:job/first",
  });
  await createJob("second", { jobTemplateArn });
  expect(await job("second")).toMatchObject(configs);
  const { jobTemplates = [] } = await iot.send(new ListJobTemplatesCommand({}));
  expect(jobTemplates.map(({ jobTemplateId }) => jobTemplateId)).toContain("like-first");
  await iot.send(new DeleteJobTemplateCommand({ jobTemplateId: "like-first" }));
  const missing = { name: "ResourceNotFoundException" };
  await expect(
    iot.send(new DescribeJobTemplateCommand({ jobTemplateId: "like-first" })),
  ).rejects.toMatchObject(missing);
  await expect(createJob("third", { jobTemplateArn })).rejects.toMatchObject(missing);
  expect((await job("second"))?.status).toBe("IN_PROGRESS");
});

test("refuses a template that is there already, or has no document or a bad one", async () => {
  await create("once", { document });
  await expect(create("once", { document })).rejects.toMatchObject({ name: "ConflictException" });
  const invalid = { name: "InvalidRequestException" };
  await expect(create("none", {})).rejects.toMatchObject(invalid);
  await expect(create("bad", { document: "{" })).rejects.toMatchObject(invalid);
});
