import { CreateJobCommand, GetJobDocumentCommand, IoTClient } from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

let cloud: TestCloud;
let iot: IoTClient;
const document = JSON.stringify({ to: "do" });
beforeAll(async () => {
  cloud = await startTestCloud();
  iot = new IoTClient(cloud.client);
  const invoke = (service: string, operation: string, input: object) =>
    cloud.cloud.invoke(service, operation, input);
  await invoke("iot", "CreateThing", { thingName: "press" });
  await invoke("s3", "CreateBucket", { Bucket: "jobs" });
  for (const [Key, text] of [
    ["some where/job.json", document],
    ["no.json", "{"],
  ] as const)
    await invoke("s3", "PutObject", { Bucket: "jobs", Key, Body: Buffer.from(text) });
});
afterAll(async () => {
  iot.destroy();
  await cloud.close();
});

const create = (jobId: string, more: object) =>
  iot.send(
    new CreateJobCommand({ jobId, targets: ["arn:aws:iot:us-east-1:123456789012:thing/press"], ...more }),
  );

test("a job's document is read from S3, however the object is named", async () => {
  const sources = [
    "s3://jobs/some%20where/job.json",
    "https://jobs.s3.us-east-1.amazonaws.com/some%20where/job.json",
    "https://s3.us-east-1.amazonaws.com/jobs/some%20where/job.json",
    `${cloud.endpoint}/jobs/some%20where/job.json`,
  ];
  for (const [index, documentSource] of sources.entries()) {
    await create(`j${index}`, { documentSource });
    const told = await iot.send(new GetJobDocumentCommand({ jobId: `j${index}` }));
    expect([documentSource, told.document]).toEqual([documentSource, document]);
  }
});

test("a source that is no object, is not there or is no JSON is refused, and so are two documents", async () => {
  for (const [more, why] of [
    [{ documentSource: "jobs" }, "is no object of S3"],
    [{ documentSource: "s3://jobs" }, "is no object of S3"],
    [{ documentSource: "s3://jobs/none" }, "cannot be read"],
    [{ documentSource: "s3://nowhere/none" }, "cannot be read"],
    [{ documentSource: "s3://jobs/no.json" }, "the job document is not JSON"],
    [{ documentSource: "s3://jobs/no.json", document }, "Give either"],
    [{}, "Give either"],
  ] as const)
    await expect(create("no", more)).rejects.toMatchObject({
      name: "InvalidRequestException",
      message: expect.stringContaining(why),
    });
});
